"""What may stand around the one number of an answer, per language, as a small grammar.

A reply is read when everything before its number and everything after it is made of the parts written here, one after
the other. In a part a word stands for itself, `[…]` may be left out, `a|b` and two lines are alternatives. All words
are folded (see `folding`). What is not written here is not known to be harmless, and a number beside it is not read.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from pro_service.core.replies.number_words import NUMBERS


class Frames(NamedTuple):
    """The parts of one language that may stand around a number without changing what it says."""

    courtesy: str
    """Around any answer, without a meaning of their own. Never around an opt-out word: that is a sentence."""
    before: str
    after: str
    before_pain: str
    after_pain: str
    """Words that name what a scale from zero measures: they do not answer a scale from one."""
    before_choice: str
    after_choice: str
    """Words that name one of the answers of a scale from one: `option 3`, `2 numara`."""
    mild: str
    moderate: str
    severe: str
    """Descriptions, before or after a pain score that they fit. Beside another number they are a reason to ask."""
    improved: str
    unchanged: str
    worse: str
    """What one of the seven answers about a change says; beside an answer that says something else a reason to ask."""


# -- Turkish -----------------------------------------------------------------------------------

_PLACE_TR = (
    "kalcam|kalca|bacagim|bacak|kalcam bacagim|kalcam ve bacagim|kalca bacak|kalca ve bacak|kaba etim|popom"
    "|bacaklarim|kalcalarim|kalcamin|bacagimin|kalcamdaki|bacagimdaki"
)
"""What the shipped question names, both sides together: of `sol bacağım 7` nobody knows what the other side does."""
_IN_TR = "kalcamda|bacagimda|kalcada|bacakta"
_DAY_TR = "bugun|bu gun|bugunku|bugunluk|bugun icin|bugun de|bugune|[son] 24 saatteki"
_MEAN_TR = "ortalama|ort|ortalama olarak|genel olarak"
_MEASURE_TR = (
    "siddeti|siddetim|puani|puanim|skoru|skorum|seviyesi|seviyem|duzeyi|duzeyim|derecesi|derecem|degeri|notu|notum"
    "|degerim|ortalamasi|ortalamam|durumu|durumum"
)
_MEASURED_TR = "puanimi|siddetimi|seviyemi|duzeyimi|derecemi|skorumu|siddetini|puanini|seviyesini|duzeyini"
_GIVE_TR = (
    "veriyorum|veriyom|veririz|veriyoruz|verdik|veririm|verebilirim|verdim|vereyim|verecegim|verelim|vermek istiyorum"
)
_SAY_TR = (
    "derim|deriz|diyorum|diyom|diyoruz|diyim|deyim|dedim|diyebilirim|diyecegim|diyeyim|diyelim|diyebiliriz|desem olur"
    "|demek istiyorum"
)
_WRITE_TR = (
    "yaziyorum|yazdim|yazayim|yazalim|isaretliyorum|isaretledim|seciyorum|sectim|puanliyorum|puanlarim|puanladim"
    "|belirtiyorum|bildiriyorum|degerlendiriyorum|degerlendiririm|degerlendirdim|tanimlarim|tanimlayabilirim"
    "|cevapliyorum|cevapladim|soyleyebilirim|soyluyorum|hissediyorum|hissettim|isaretlerim"
)
_NOTE_TR = (
    "yazin|yaz|yazabilirsiniz|yazarsiniz|kaydedin|kaydedebilirsiniz|not edin|not alin|isaretleyin|kabul edin|deyin"
    "|isaretleyebilirsiniz"
)
_AT_TR = (
    "siddetinde|siddetindeydi|siddetindedir|seviyesinde|seviyesindeydi|seviyesindedir|duzeyinde|duzeyindeydi"
    "|duzeyindedir|derecesinde|derecesindeydi|derecesindedir"
)
_PAIN_TR = "agri|agrim|agriydi|agrim var|agrim vardi|agri var|agri vardi|agri hissediyorum|agri hissettim"
ADDRESSED = "kizim|oglum|kardesim|abim|ablam|guzel kizim|canim kizim|kizim benim|kuzum"
"""Said to the one who asks, at the end: `beş veriyorum kızım`. At the beginning it may be who answers: `kızım 5`."""
_SIR_TR = "doktor|hemsire|dr|ebe"

_SINCE_TR = "[ilk] (islemden|ameliyattan|igneden|tedaviden|operasyondan|islem) [bu yana|beri|sonra|sonrasi]"

_TR = Frames(
    courtesy=f"""
        [ve] (aleykum selam|aleykumselam)|selamun aleykum|selamunaleykum|selamin aleykum
        merhaba|merhabalar|mrb|mrhb|meraba|selam|selamlar|slm|gunaydin|gunaydinlar|tunaydin
        [herkese] (iyi|hayirli|mutlu) (gunler|aksamlar|geceler|calismalar|haftalar|sabahlar|pazarlar|cumalar|isler
        nobetler|haftasonlari|hafta sonlari|bayramlar|ramazanlar|mesailer) [dilerim|diliyorum|olsun|size]
        [size] [cok] (tesekkurler|tesekkur|tesekkur ederim|tesekkur ediyorum|tesekkur ederiz|tesekkurederim|tsk
        tskler|tsk ederim|tesekkurlerimle|sagolun|sag olun|sagol|sag ol|saolun|saol|sagolasin|sagolasiniz|minnettarim)
        cok mersi|mersi|eyvallah|allah razi olsun [sizden|hepinizden|herkesten|doktorumdan|hocamdan]
        allaha emanet [olun]|kolay gelsin
        kolay gelsin (size|hepinize|herkese)|(size|hepinize|herkese) kolay gelsin
        kolayliklar|kolayliklar dilerim
        [ellerinize|elinize|emeginize|ellerine|eline] saglik [hocam]|ellerinizden operim|dualarim sizinle
        dualarimiz sizinle|sizlere dua ediyorum|dua ediyorum [size]
        saglicakla [kalin|kal]|saglikla kalin|esen kalin|selametle|[cok] masallah|allahin izniyle|allah izin verirse
        dua edin [bize|bana]|dualarinizi bekliyorum|[allah] [sizi] basimizdan eksik etmesin|allah sizden razi olsun
        allah sizi basimizdan eksik etmesin|allah (isinizi|islerinizi) rast getirsin|rabbim yar ve yardimciniz olsun
        selamlarimla|[cok] selam [ederim|soylerim]|[hepinize|herkese] selamlar|hayirlisi [olsun|neyse o olsun]
        mesajinizi (aldim|gordum|okudum)|mesaji (yeni|gec) gordum|mesajinizi (yeni|gec) gordum|gec gordum
        (mesajinizi|mesaji) (simdi|az once) (gordum|aldim|okudum)|(yeni|simdi) gordum [mesaji|mesajinizi]
        [tum|butun] (emegi gecenlere|emegi gecen herkese|hocalarima|hocama|ekibe|doktoruma|doktorlarima|hemsirelere)\
         [cok] (tesekkurler|tesekkur ederim|selamlar|saygilar)|emeginize tesekkurler
        [cok] (tesekkurler|tesekkur ederim|sagolun|sag olun) (ilginize|ilginiz icin|her sey icin|hepinize|hepinizden)
        sayin (yetkili|yetkililer|ilgili)|saygideger (yetkili|hocam)
        cok sukur [bugun]|sukur|sukurler olsun|cok sukurler olsun|allaha sukur|allaha sukurler olsun|elhamdulillah
        hamdolsun|bin sukur
        saygilar|saygilarimla|saygilarimizla|saygilar sunarim|hurmetler|hurmetlerimle|sevgiler|sevgilerimle
        selamlar saygilar|sevgi ve saygilarimla|selam ve saygilar
        [cok] sagolun var olun|var olun|eksik olmayin|iyi ki varsiniz|iyi dileklerimle|rica ederim|buyurun|buyrun
        tamamdir
        (hepinize|herkese|size) [cok] (tesekkurler|selamlar|selam|sevgiler)|ekibinize [cok] (tesekkurler|selamlar)
        gnydn|doktorumuza [cok] (tesekkurler|tesekkur ederim)|ah ah|(mesajiniz|mesaj|ilginiz|sordugunuz|aradiginiz
        emekleriniz|yardimlariniz|her sey) icin [cok] (tesekkurler|tesekkur ederim
        sagolun
        sag olun)|ilginize (tesekkurler|tesekkur ederim)|(allah|rabbim) [sizden|hepinizden] razi olsun
        hakkinizi helal edin
        allah yardimciniz olsun|allaha ismarladik|nasilsiniz|umarim iyisinizdir|insallah iyisinizdir
        yalan yok|[sizin|hep sizin] sayenizde|(doktorumuz|doktorum|hocam) (sagolsun|sag olsun)
        allah (sifa|sifalar) versin [hepimize|hepinize|herkese]
        allah (yardimcim|yardimcimiz) olsun|(kandiliniz|bayraminiz|ramazaniniz|cumaniz) mubarek olsun
        (kiymetli|sevgili|saygideger|cok degerli|muhterem) (hocam|doktorum|hocalarim|doktor bey|doktor hanim)
        sayin|gorusmek uzere|gorusuruz|hosca kalin|hoscakalin|bilginize|bilginize sunarim|arz ederim
        [sayin|sn|degerli|canim|merhaba] (hocam|hocalarim|doktorum|doktor|doktor bey|doktor hanim|dr bey|dr hanim
        hemsire hanim|hemsire bey|hemsirem|doktorcum|doktorcugum|hocacim)
        ({_SIR_TR}) (hanim|bey) (kizim|oglum|evladim|kardesim)
        adim|ismim|sayin doktor|sn doktor|efendim|canim|evladim|yavrum|abi|abicim|abla|ablacim|kardes|gardas|kanka
        kankam|usta|ustam|dostum|guzelim|arkadaslar|beyler|haci|hacim|baskan|uff|uf|hah|neyse
        lutfen|maalesef|malesef|ne yazik ki|ne yazikki|valla|vallahi|vallaha|inanin|inan|inan ki|yani|iste|acikcasi
        dogrusu|dogrusunu isterseniz
    """,
    before=f"""
        cevap veriyorum|cevapliyorum|yanitliyorum|(bu sefer|bu kez)
        benimki|[bu] soruya [benim] (cevabim|yanitim)
        evet|tabii|tabi|tabii ki|tabi ki|tabiki|tamam|peki|ben|benim|bence|benden|benim icin|bana gore
        bana sorarsaniz|bana kalirsa|hocam ben
        [benim] [bugunku] (cevap|cevabim|yanit|yanitim|puan|puanim|skor|skorum|seviye|seviyem|derecem|notum
        degerlendirmem|cvp|tercihim|secimim) [su|olarak]
        sorunuza cevabim|sorunun cevabi|sorunuzun cevabi|sorunuza [cevap|yanit] olarak|verdigim (puan|cevap|yanit|not)
        verecegim (puan|cevap|yanit|not)|rakam olarak|sayi olarak
        {_MEAN_TR}|ortalamam|tam|tam olarak|kesin|kesinlikle|sadece|net|net olarak|aynen|yine|gene|hala|halen|ayni
        yine ayni|ayni sekilde
        (kac|kacinci) (kere|kez|defa) [daha] (yazacagim|yaziyorum|yazayim|soyleyecegim|soyluyorum|diyecegim)
        [hep|yine] her zamanki gibi|(cevabimi|puanimi|yanitimi) (yaziyorum|veriyorum)
        [ben] (buna|bu agriya|agrima) [ben] [puan olarak]|(bu|bu soruya|buna) cevabim|bu soru icin|bu soruya|hep ayni
        yani|ondan|(bu yuzden|o yuzden|onun icin)|genel ortalama|ortalamasi|[son] (gunlerde|gunler) ortalama
        rahatlikla|gonul rahatligiyla|soyle soyleyeyim|soyle diyeyim|isaretledigim (numara|sik|puan)|sonuc|sonuc olarak
        pardon|duzeltme|duzeltiyorum|ozur dilerim|cok ozur dilerim
        [gec|gec cevap|gec yazdim|gec cevap verdigim|gec kaldigim|gecikme|gec yazdigim] [icin] (kusura bakmayin
        kusura bakma|ozur dilerim) [gec yazdim|gec kaldim|gec cevap verdim|gec gordum]
    """,
    after=f"""
        (her zamanki|dunku|gecen haftaki|gecen seferki) gibi|[ayni|aynen] devam|[puan] (denebilir|vercem|dicem|diycem)
        (dersem|desem) (yalan olmaz|yeridir)
        ya|yaa|be|puan|puandir|puandi|puanlik|idi|di|du|ydi|ti|tu|dir|tir|tur|tabii|tabi|oldu
        [puan|olarak|puan olarak] [diye] ({_GIVE_TR}|{_SAY_TR}|{_WRITE_TR}|{_NOTE_TR}) [ben|artik|iste]
        olarak (alin|girin|girebilirsiniz)
        (i|yi|u|yu) (isaretliyorum|isaretledim|seciyorum|sectim)
        {_AT_TR}|olsun|olacakti|yazacaktim|yine|gene|hala|halen|ayni|ayni sekilde|kesin|kesinlikle|net|ortalama
        ortalama olarak|ben|benim|bence|bana gore|rahatlikla
        [benim] (cevabim|puanim|yanitim|cevabim bu|puanim bu|cevabim budur)|rakami|rakamini (seciyorum|isaretliyorum)
        {ADDRESSED}
        doktor|hemsire
    """,
    before_pain=f"""
        [benim|bende] [{_DAY_TR}|son 24 saatte|son 24 saat icinde] [{_MEAN_TR}] [{_PLACE_TR}|{_IN_TR}]\
         (agri|agrim|agrm|agrilarim|agrimin|agrinin) [{_DAY_TR}|son 24 saatte] [{_MEASURE_TR}]\
         [{_DAY_TR}] [olarak] [{_MEAN_TR}] [maalesef|hala|yine|halen|gene]
        [{_DAY_TR}] ({_PLACE_TR}) agrisi [{_MEAN_TR}]
        [{_DAY_TR}] [{_PLACE_TR}] (agrima|agrimi|agrilarimi|agrilarima|agrimin|agri) [{_MEASURED_TR}]
        [benim] [{_DAY_TR}] [{_MEAN_TR}] ({_PLACE_TR}) [{_DAY_TR}] [{_MEAN_TR}]
        {_MEASURE_TR}|siddet
        [ben] (agrima|bu agriya|agrilarima) [bugun]|{_DAY_TR}|vas|nrs|vas skoru|vas skorum|vas puanim|degismedi
        degisiklik yok|degisme yok|[{_DAY_TR}] (dunku|her zamanki|gecen seferki|gecen haftaki) gibi|degisim
        (kizim|oglum|kardesim) [benim] (agrim|puanim|agri puanim|cevabim)
        evet agrim var|agrim var|agri var|[hala] (agrim|agri) [hala] (gecmedi|devam ediyor|suruyor|var)|devam ediyor
    """,
    after_pain=f"""
        [puan|puanlik|{_AT_TR}] [bir] ({_PAIN_TR}|agri yasiyorum|agri yasadim|agri cekiyorum|agri cektim
        agrim oluyor|agrim oldu)
        [puan|puani] ({_GIVE_TR}) (agrima|agrilarima|bu agriya|bugunku agrima)
        dun de (oyle|oyleydi|boyleydi|ayni|ayniydi)
        [hala] gecmedi|butun gun|tum gun|{_DAY_TR}
        degismedi|degisiklik yok|degisme yok|[pek|hic] degisen [bir|pek bir] sey (yok
        olmadi)|[bir|pek bir] sey degismedi
        derece [agri|agrim var]|seviye|siddetinde (hissediyorum|hissettim|yasiyorum)
        [benim] (agrim|agri puanim|agri seviyem)
    """,
    before_choice=f"""
        [benim] (cevabim|tercihim|secimim) [olarak] (secenek|numara|sik)|(sikki|secenegi|secenegim|sikkim)
        [benim] (sagligim|genel sagligim|genel durumum|genel durum|genel olarak durumum|durumum|halim)|secenek|numara
        sik|genel|genel olarak
        {_SINCE_TR} [genel durumum|durumum]
        (islemden|ameliyattan|igneden|tedaviden|operasyondan) (once|oncesine|onceye|onceki halime) gore|oncesine gore
        eskiye gore|eskisine gore|onceki halime gore
    """,
    after_choice=f"""
        {_SINCE_TR}|eskiye gore|eskisine gore|oncesine gore|onceki halime gore
        [nolu|nolusu|no lu|numarali] (cevap|secenek|sik|secenegi|sikki|olan|olani)|nolu|olan|olani|diyorum (secenek|sik)
        numara|numarali secenek|numarali|secenek|secenegi|sik|sikki
        numarayi (isaretliyorum|isaretledim|seciyorum|sectim)
    """,
    mild="""
        hicbir (seyim|sikayetim|sikintim) (yok|kalmadi)|neredeyse hic [yok]|[cok] az agrim (var|vardi)
        o da [cok] hafif|[her sey] iyi gidiyor
        [gayet|cok|epey|bayagi] (memnunum|mutluyum|keyifliyim)|[cok] hafif (hissediyorum|hissettim)|neredeyse yok
        yok gibi|[cok] az|onemsiz|[cok] hafifledi|[hic] rahatsiz etmiyor|[hic] sikayetim yok|sikayetim yok|turp gibiyim
        bomba gibiyim|rahat rahat yuruyorum|[daha|cok daha] (iyiyim|rahatim|iyi)|ve (iyiyim|rahatim|mutluyum|cok iyiyim)
        yavas yavas (duzeliyor|iyilesiyor|azaliyor|geciyor|duzeliyorum|iyilesiyorum)|keyfim yerinde
        [daha] iyiye (gidiyor|gidiyorum)|agrim hafifledi
        [bayagi|gayet|cok|epey|oldukca] (iyi|iyiyim|iyiydi|iyiydim|rahat|rahatim|rahatti|hafif|hafifti)
        [cok|epey] rahatladim|[sadece|cok] hafif [bir] (agri|agrim|agrim var|sizi|sizim) [var]
        hissetmiyorum bile|keyfim yerinde|her sey yolunda|mutluyum|[rahat|guzel] (uyuyorum|uyudum|yuruyorum
        yuruyebiliyorum)
        super|harika|bir sorun yok|sorun yok|sikintim yok|yok denecek kadar az|yok denecek kadar|pek agrimiyor
        [biraz] (sizlama|sizi) [var]|az agriyor|biraz agriyor|memnunum|cok memnunum|[cok|bu hafta] rahat (gecti|geciyor)
        fena degil|idare eder|idare ediyorum|[ama] (dayanilir|dayaniliyor|katlanilir)
    """,
    moderate="""
        tam ortasi|tam orta|idare ediyoruz|idare iste|[ama] idare ediyorum|katlaniyorum|katlaniyoruz [iste]|eh
        ne iyi ne kotu|[hep] ayni
        [biraz] (zorladi|yordu|zorlandim|rahatsiz etti)|yavas yavas (duzeliyor|iyilesiyor|azaliyor|geciyor)
        [daha] iyiye (gidiyor|gidiyorum)|agrim hafifledi
        [biraz] daha (iyi|iyiyim)|biraz (iyi|iyiyim)|uyuyamadim|uykusuzum|yorgunum|[cok] yoruldum
        orta [siddette|siddetli|duzeyde|seviyede|derecede] [bir] [agri]|biraz agriyor|soyle boyle|eh iste
        fena degil|idare eder|idare ediyorum|[ama] (dayanilir|dayaniliyor|katlanilir)
    """,
    severe="""
        [cok] siddetli agrim (var|vardi)|[hic|bir turlu] gecmiyor|dayanacak (gucum|halim) kalmadi|oturup kalkamiyorum
        [artik] dayanamiyorum (artik|agriya|bu agriya)|agridan oluyorum|oluyorum agridan
        cok zor gecti [gece|gun|bugun]|[cok] agrim fazla|agrim [cok] fazla
        allah (kimseye|kimselere|dusmanima|dusmanimin basina) vermesin
        [artik] (biktim|usandim|yildim|tukendim|bittim) [artik]|agliyorum|aglayacagim|aglamakliyim|[cok] (perisan
        bitkin|caresiz) [haldeyim
        durumdayim]|canim [cok] yaniyor|[cok] canim yaniyor|cok canim yandi|yerimden kalkamiyorum|kivraniyorum|kivrandim
        butun gun (yattim|yataktaydim)|hic (uyuyamadim|uyumadim|rahat edemedim)|[cok] cektim|[bugun] [cok] fenayim
        uyku tutmadi|[beni] uyutmadi|cok agrim var|[cok] (agriyor|sizliyor|aciyor)|hic (iyi|rahat) degilim|cildiriyorum
        [ama] (katlaniyorum|idare ediyorum|dayaniyorum)|agri cok (fazla|siddetli|kotu)|[cok] moralsizim
        [cok|cok cok|gercekten|bayagi|asiri|cok fazla] (kotu|kotuydu|kotuyum|kotuydum|siddetli|siddetliydi
        agrim var|agrim vardi|aci cekiyorum)
        (cok|cok cok|bayagi|asiri|cok fazla) (agriyor|agridi|agriyordu|zordu|zorlandim|zor)
        dayanilmaz|dayanilmazdi|dayanamiyorum|dayanamadim|berbat|felaket|berbatti|felaketti|berbatim|korkunc
        korkunctu|rezalet|perisanim|mahvoldum|dayanamiyorum artik|fena|cok fena|iyi degilim|hic iyi degilim|cok aci
        [geceleri] [hic] (uyuyamadim|uyuyamiyorum|uyutmuyor|uyutmadi)|agridan (uyuyamadim|uyuyamiyorum|duramiyorum)
        [cok] (zonkluyor|yaniyor|zorlaniyorum|canim yaniyor|perisan oldum|perisan haldeyim|aci cekiyorum)
        [hic] (yuruyemiyorum|oturamiyorum|kalkamiyorum|yatamiyorum|duramiyorum|basamiyorum) [bile]
        agrim cok [fazla|siddetli]
        [hala|durmadan|surekli|cok fena] agriyor|[cok] agri (cekiyorum|cektim|var)|agri cok fazla|uyku yok
        uykusuz kaldim
        (gozume|gozume hic) uyku girmedi|(yurumekte|oturmakta|kalkmakta) zorlaniyorum|(ayaga|yerimden) kalkamiyorum
        (perisan|mahvetti|bitirdi) (etti|oldum|beni)|mahvetti|beni bitirdi|cok zor|cok zorlaniyorum|adim atamiyorum
        dayanilacak gibi degil|cekilecek gibi degil|cekilmez|cekilmiyor|agladim|aglatti|iskence|iskence gibi|eziyet
    """,
    improved="""
        [artik] [hic] agrim (yok|kalmadi)|ise yaradi|[cok] iyi geldi|[cok] faydasini gordum
        [sanki] yeniden dogdum [sanki]|[yeniden] dogmus gibiyim|hayatim degisti|dunyalar benim oldu|dunya varmis
        [cok] (memnunum|mutluyum|sukur iyiyim)|[daha] rahat (yuruyorum|uyuyorum|hareket ediyorum|oturuyorum)
        ve (iyiyim|rahatim|mutluyum|cok iyiyim)|[artik] (yuruyebiliyorum|uyuyabiliyorum|gidebiliyorum
        cikabiliyorum) [artik]
        yavas yavas (duzeliyor|iyilesiyor|duzeliyorum|iyilesiyorum)|bomba gibiyim|turp gibiyim
        eskisinden [cok] [daha] iyiyim
        [cok|biraz|az|hafif|epey|bayagi|buyuk|ciddi|gozle gorulur|belirgin|guzel|cok guzel] [bir] (iyilesme|duzelme
        rahatlama
        gelisme) [var|oldu|hissediyorum]|[daha] (iyiye gidiyor|iyiye gidiyorum|iyi gidiyor|duzeliyor|duzeliyorum
        iyilesiyorum)
        [cok|cok cok|biraz|bayagi|epey|gayet|cok fazla|cok sukur] [daha] (iyi|iyiyim|iyilesti|iyilestim|duzeldim|duzeldi
        rahatim|rahatladim|iyi oldum|iyi oldu|iyi hissediyorum|rahat|memnunum|mutluyum|toparladim)
        super|superim|harika|harikayim|mukemmel|mucize gibi
    """,
    unchanged="""
        [pek|hic] degisen [bir] sey (yok|olmadi)|[hic] [bir|pek bir|hicbir] sey degismedi|ne iyi ne kotu|eskisi gibi
        ayni tas ayni hamam|[hep] ayni [durumdayim]
        [pek] (fark|degisiklik) (gormedim|hissetmedim|yok)|[bir] fark (gormedim|hissetmedim)|fayda gormedim
        degismedi|ayni|ayniyim|ayni sekilde|degisiklik yok|[pek] degisen [bir] sey yok|[hic] degismedi|degisme yok
        [bir] degisiklik (yok|olmadi)|ayni durumda|ayni durumdayim|hep ayni|fark yok|[hic] fark etmedi|farketmedi
    """,
    worse="""
        [son gunlerde|son zamanlarda] [biraz|cok] (geriledim|kotulestim|bozuldum|zorlaniyorum|kotuyum)
        hic memnun degilim
        umdugum gibi (olmadi|degil|cikmadi)|bekledigim gibi (olmadi|degil|cikmadi)|keske (olmasaydim|yaptirmasaydim)
        pisman oldum|pismanim|hayal kirikligi|[biraz|cok] geriledim|[daha] (kotuye gidiyor|kotuye gidiyorum)
        [cok|biraz|az|hafif|epey|ciddi] [bir] (kotulesme|bozulma|gerileme) (var|oldu|hissediyorum)
        [cok|cok cok|biraz|bayagi|epey|cok fazla|maalesef] [daha] (kotu|kotuyum|kotulesti|kotulestim|kotu oldum
        kotu oldu
        kotuye gitti|kotuye gidiyor|kotu hissediyorum)|perisan oldum|mahvoldum|berbat|perisanim|felaket
    """,
)

# -- English -----------------------------------------------------------------------------------

_PLACE_EN = (
    "hip|hips|leg|legs|buttock|buttocks|bum|hip and leg|leg and hip|buttock and leg|leg and buttock|buttock leg|hip leg"
)
_DAY_EN = (
    "today|for today|[over|in|for|during] [the|these] (last|past) (24 hours|24 hrs|24h|day)"
    "|on average|overall|on the whole|all in all|in general|altogether"
)
_MEASURE_EN = "score|level|rating|number|intensity|scale|figure|value"
_SURE_EN = "definitely|exactly|only|just|still|really|honestly|certainly|definately|surely|simply|probably still|sadly"
_ONE_EN = "a|an|[a|an] (solid|full|very solid|definite|clear|firm|straight|steady)"
"""Before a number, where it is one answer among others: `a 7`, `a solid 7`."""
_A_EN = f"{_ONE_EN}|(as|of|to be|is|was|it is|its|it was|its been) [{_ONE_EN}]|at [{_ONE_EN}]"
_BE_EN = (
    "(is|was|would be|has been|is at|was at|has been at|stands at|sits at|averages|averaged|remains|stays|stayed|of)"
)
_SPEAKER_EN = (
    "i|id|ill|i would|i should|i will|i can|i must|i have to|id have to|i would have to|im|i am|ive|let me|lets"
    "|we can|you can"
    "|i want to|id like to|im going to|i am going to|im gonna|gonna|please|id still|i still|i did|i just"
)
_SAYING_EN = (
    "say|give|rate|score|put|call it|mark|pick|choose|go with|report|record|write|answer|describe|grade|rank"
    "|said|gave|rated|scored|chose|picked|went with|giving|rating|going with|gonna go with|have to say"
)
_DOING_EN = "give|giving|rate|rating|going with|gonna go with|go with|call it|mark it"
"""What one may leave out to say who does it: not `said`, for `doctor said 7`."""

_OPERATION_EN = "[the|my] (procedure|operation|op|injection|treatment|surgery|last time)"
_SINCE_EN = f"since ({_OPERATION_EN}|monday|tuesday|wednesday|thursday|friday|saturday|sunday|the weekend|last week)"

_EN = Frames(
    courtesy="""
        [hi|hello|hey|hiya|hi there|hello there|dear|good morning|good afternoon|good evening|morning|afternoon
        evening] (doctor|doc|dr|nurse|team|all|everyone|folks|both|sir|madam|maam|sir madam|sir or madam|study team)
        [hi|hello|morning|hiya|evening] (my love|sweetheart|luv)|(hi|hello|morning|hiya|evening) (love|duck|pet|hun
        darling|lovely)
        hi|hello|hey|hiya|hi there|hello there|good morning|good afternoon|good evening|good day|greetings
        dear|good night|goodnight|night night
        [have a|enjoy your|enjoy the] (nice|good|lovely|great|wonderful|blessed) (day|evening|weekend|week|night
        afternoon|rest of your day)|[and] (take care|god bless|god bless you|bless you|bless you all
        god bless you all)|bye|bye bye|bye for now|goodbye
        speak soon|talk soon|see you soon
        all the best|hope you are well|hope youre well|hope this helps
        (thanks|thank you|ta|cheers) for (checking up [on me]|getting in touch|your (text|message|care|time|kindness
        support)
        the (text|message|reminder)|being so kind|everything you do|looking after me|all you do)
        let me know if you need [to know] (anything|anything else|something|more|more details)
        thanks to (you all|all of you|everyone|the team|all|you guys)|[im] [so] sorry for (answering|replying
        responding|texting|writing) [so] late
        hope (all is well|alls well|youre all well|youre ok|you are all well)|keep up the good work|lots of love
        no worries|(only just|just|only now) (seen|saw|read|got|noticed) (this|it|your (text|message))|apologies
        my apologies
        here you go|there you go|as requested|as asked|(in reply|replying|re) [to] (your|the) (text|message)|cheers all
        [many|with|and] (thanks|thankyou|thank you|thank u|thx|thnx|tks|ty|cheers|ta) [a lot|so much|very much
        a million|a bunch|again|ever so much|for asking|for checking|for checking in|for your help
        for all your help|for everything|all]
        many thanks|much appreciated|appreciated|ta|ta very much|x|xx|xxx|please|pls|plz|please and thank you
        namaste [sir|madam|doctor|ji]
        (hey|hiya|morning|evening) (there|sister|guys)|sister|good (morning|afternoon|evening) sister|evening all
        morning all|respected (sir|madam|doctor|dr)|[with] thanking you|thank you kindly|[many] thanks to god
        by gods grace|by the grace of god|god is (great|good)|praise (god|the lord)|thanks be to god
        (ta|thanks|thank you|cheers) [very much|so much] for (asking|your concern|checking [in]|checking up)
        lovely to hear from you|nice to hear from you|good to hear from you|nice of you to ask|kind of you to ask
        oh dear|oh well|oh my|ah well|good news|bad news|right then|righto|right o
        hope you have a (good|nice|lovely) (day|weekend|week)
        how are you [all|today]|praise be
        (sorry|apologies) for [the|my] [so] (late|slow|delayed) (reply|response|answer|text)
        (sorry|apologies) for the delay in (replying|answering)|have a blessed day|many blessings|blessings|stay well
        stay safe|keep well|be well|ouch|oof|ooh|um|doctor sahib|[sir|madam|doctor] ji|gud morning|gm|tnx|tq|thanx|thnks
        (you|youre) [are] [all] [a] (star|stars|angels|wonderful|amazing|brilliant|great)|(here|heres) [is] my (answer
        reply|score)
        [answer]|bless your heart|thank you [very much] indeed|thanks indeed|[my] (love|regards|best) to (all|everyone
        the team|you all)|thanks in advance
        [with] [my|all my|our] best wishes [for (christmas|easter|the new year|the weekend)]
        regards|[best|kind|kindest|warm|warmest|many] (regards|wishes)|yours sincerely|sincerely|yours faithfully
        yours truly
        lol|haha|hahaha|omg|ugh|argh|aw|aww|ngl|tbf|imo|bro|bruv|dude|lads|guys|my friend|anyway|anyhow|anyways
        mate|sir|madam|doctor|dear doctor|doc|dr|dear nurse|maam|hi all|pal|my dear
        unfortunately|im afraid|i am afraid|thank god|thank goodness|thankfully|luckily|sadly|honestly|tbh
        to be honest|(im sad|sad|im sorry|sorry) to say
        in all honesty|im pleased to say|im happy to say|glad to say
        pleased to say|happy to say|i have to say|i must say|i must admit
        sorry for the (delay|late reply|late response|late answer|slow reply)|sorry im late|sorry its late
        sorry this is late|apologies for the (delay|late reply)|sent from my (iphone|phone|mobile|samsung)
    """,
    before=f"""
        {_ONE_EN}|full|solid|again a
        yes|yeah|yep|ok|okay|well|so|alright|all right|sure|again|once again|same|the same
        {_SURE_EN}|on average|as an average|overall|ans|sorry|oops|correction|i meant|make it|make that
        (i am|im|id be|i would be|ive been|i have been) [{_SURE_EN}] [sitting] [at] [{_ONE_EN}]
        (it|that|this) (is|was|would be|has been|has to be|would have to be|must be|averaged) [{_SURE_EN}]\
         [{_ONE_EN}]
        (its|thats|itd be|thatd be|averaged|its been|its gotta be|an average of) [{_SURE_EN}] [{_ONE_EN}]
        [my|the|todays] [average|overall|honest] (answer|ans|rating|score|level|average|reply|response|choice)\
         [to (your|the|this) (question|text|message)] [for today] [{_BE_EN}] [{_SURE_EN}] [{_A_EN}]
        ({_SPEAKER_EN}) [{_SURE_EN}] ({_SAYING_EN}) [it|that|this] [{_A_EN}]
        ({_DOING_EN}) [it|that|this] [{_A_EN}]|[{_SPEAKER_EN}] (go for|going for) ({_ONE_EN})
        [{_SPEAKER_EN}] (put|mark) [it|me] [down] [as|as a|as an|for a|for an]
        still (at a|at an)
        (im|i am) (on a|on an)|currently|presently|(its|im|i am) [now] (back up|back down|down) to [{_ONE_EN}]
        for me [its [{_ONE_EN}]]|has been [{_ONE_EN}]|would say
        i make it|going to say|(mine is|mine was|mines|mine) [{_A_EN}]
        for the (second|third|fourth|fifth|last|umpteenth|hundredth) time
        if i had to (say|pick|choose|put a number on it|give it a number|give a number|score it|rate it)
        put a number on it
        (my|the) honest answer|(got to|gotta|have got to|going to have to|ive got to) (say|be)|the answers
        (my|the) number (is|was) [{_ONE_EN}]|number is
        (ok|okay|right|well) so [its] [a|an]|(answer|a|ans|reply|response) [is]
        in answer to your (question|text)|answering (your|the) (question|text)|my answer would be
        (back to|settled at|averaging) [a|an]|i feel (it is|its|it was) [a|an]|[i] (select|choose)|(selecting|choosing)
        (for|to) this (question|one)|my (answer|reply|response) to (this|that|the) (question|one) is|[ok|well
        and] so [its] [a|an]
        (happy|pleased|glad|sorry) to (report|say) [a|an|its] [a|an]|kindly (note|record|put|mark|write)|please note
        that (will|would|ll) be [a|an]|thatll be [a|an]|[i] (reply|answer|respond) [with]|[i] (put|gave) [a|an]
        my (overall|overall answer|overall score) is [a|an]|as (before|ever|always)|same as (before|ever|always)
        (im|i am) (giving|putting|saying|calling) [it|this] [a|an]|you can put [me down as] [a|an]
    """,
    after=f"""
        hooray|yay|woohoo|whoop|point|points|pt|pts|on average|overall|only|for me|from me|it is|sorry|again|still
        nurse|love|dear|as an average
        duck|ducky|pet|hun|hen|flower|darling|darlin|petal|sweetheart|sweetie|luv|buddy|chief|boss|my (love|lovely|duck)
        [{_SPEAKER_EN}] say|is (what|how) (id|i would) (say|rate it|give it|score it|put it)|thats it|that is it
        [if] (im honest|i am honest)|in my opinion|in my book|i would have to say|id have to say|all day|all day long
        same (as|like) (last (week|time|month)|yesterday|before)|level|most of the day|all the time
        thats all|thats my answer|is right|final answer|then|as always|as ever
        for (this|that) (question|one)|[for] me today|for me
        (is|was|thats) (my|the) [average|honest|final] (answer|score|rating|average|number|choice) [today]
    """,
    before_pain=f"""
        [my|the|teh|todays|this] [average|overall|mean|avarage|avrage] [{_PLACE_EN}] (pain
        pains) [in my ({_PLACE_EN})] [{_MEASURE_EN}]\
         [{_DAY_EN}] [{_BE_EN}|have|has] [{_DAY_EN}] [number] [{_SURE_EN}] [{_A_EN}]
        [for] (my|the) pain [id say|its|it is|i would say|i say|is]|for pain [id say|its]|pain wise [its|im]|painwise
        [my|the] ({_PLACE_EN}) [{_DAY_EN}] [{_BE_EN}] [{_SURE_EN}] [{_A_EN}]
        (i am|im) having pain [of]|i have pain [of]|pain is there|both (legs and hips|hips and legs|legs
        hips) [{_BE_EN}]
        a pain [{_MEASURE_EN}] of [{_A_EN}]
        [{_SPEAKER_EN}] [{_SURE_EN}] ({_DOING_EN}|score|describe) (my|the|todays) [average|overall] [{_PLACE_EN}]\
         (pain|pain level|pain score) [{_DAY_EN}] [{_A_EN}]
        ({_DAY_EN}) [its|its been|i am|im|im at|i am at] [{_SURE_EN}] [{_ONE_EN}]
        (todays|today is|today was) ({_ONE_EN})
        ({_SPEAKER_EN}) [{_SURE_EN}] ({_SAYING_EN}) today [{_A_EN}]
        [it is|its] (the same|same) as every day [its|again]
        (feels|feeling|it feels|i feel|im feeling) [like|at|its|it is] ({_ONE_EN})|no change|unchanged
        [my|the|todays] [average] (score|level|rating|answer) [today] [{_BE_EN}] [{_A_EN}]|[my] number today [is]
    """,
    after_pain=f"""
        in both|(in|for) both (legs|hips|hips and legs)
        [again] [the|its the|its] same as (every day|yesterday|ever)
        [for|of|in|on] (pain|my pain|the pain|todays pain|my ({_PLACE_EN})) [level|score] [today]
        {_DAY_EN}|on the [pain] scale|no change|unchanged|same as (before|last time|usual|always)|as usual
        (is|was) my [average] pain [score|level|rating] [today]
    """,
    before_choice=f"""
        [id|i would|ill] [{_SAYING_EN}] [the] (option|number|choice|answer|no) [{_BE_EN}]|[{_SPEAKER_EN}] (go for
        going for)
        [my] [overall] (condition|health|improvement) [{_BE_EN}] [{_A_EN}]|overall [im|i am|its]
        ({_SINCE_EN}|after {_OPERATION_EN}) [im|i am|its|its been|i feel]
        compared (to|with) before|in general|generally
    """,
    after_choice=f"""
        {_SINCE_EN}|please|compared (to|with) before
    """,
    mild="""
        fabulous|[the] best (its been|it has been)|[i am|im] pleased [with (that|it)]|nice and (easy|low)
        improving|fine|ok|okay|a little|(cant|cannot|couldnt|not going to|wont) (complain|grumble) [really|at all
        too much]|nothing to (complain about
        shout about|worry about|report)|barely (there|anything|noticeable|noticed)|hardly (anything|noticeable)
        feeling [much] more like (myself|me|my old self)|like my old self|like new|no pain to speak of|next to nothing
        virtually (nothing|none)|[a] bit of (stiffness|an ache|a twinge|discomfort)|slight (ache|discomfort|stiffness)
        [just|only] [a] little (ache|stiff|sore|discomfort)|so (happy|pleased|grateful)|bliss|over the moon
        couldnt be (better|more pleased)|doing (really|very) well|feeling (really|very) (well|good)|[a] little bit sore
        [i] can live with (that|it)|easily (managed|bearable)|well controlled|under control|[a] quiet day|[a] (lovely
        great|nice|beautiful) day [today|out]|no need to worry
        [had|its been] [a] good day [today]|(sleeping|walking|doing|getting on|feeling) (well|better|fine|ok|okay
        brilliant)
        getting better|no (bother|trouble|issues|worries)|(hardly|barely) (hurts|hurting|there)|doesnt bother me
        great result
        doesnt hurt much|[just] [a] (twinge|niggle|slight ache|dull ache|little sore)|happy with that|couldnt be happier
        [im] [very|so|really] (happy|pleased|well|good|comfortable)|brilliant|fantastic|wonderful|amazing|excellent
        great
        barely there|hardly (any|there|any pain|anything)|not much|nothing much|[a|very|just] little pain|very little
        minimal|comfortable
        cant complain|mustnt grumble|doing (well|great|fine)|[a] bit (sore|achy|stiff)|on the mend|much improved
        no problems
        mild|very mild|[im] feeling (good|great|fine|much better)|all good|much better|im fine|im good|im ok
        no complaints|pretty good|very good|nice and low|barely notice it [now]|hardly notice it|very pleased
        im very pleased|delighted
        not bad|not too bad|not bad at all|not so bad|manageable|bearable
    """,
    moderate="""
        halfway|middle of the road|it aches|[im|i am] coping
        improving|a little|[right] in the middle|middle|it hurts|not great not terrible|not good not bad
        neither good nor bad|so so really|[i] can live with (that|it)
        [im] (getting by|coping ok|managing|just about managing|plodding on|soldiering on|hanging in there
        struggling on)
        (tired|sore|achy|stiff) but (ok|okay|managing|coping|fine|happy)|grumbling|nagging [away]
        [a] bit of (stiffness|an ache|discomfort|pain)|nothing new|same old|about the same|[much|pretty much] the same
        [it was] about the same so|been better|[ive] (been|felt) (better|worse)|bit of a (bad|rough|tough) day
        feeling [a bit] (low|rough|sore|stiff|tired)|not my best [day]|(cant|cannot|mustnt) (complain|grumble) [really]
        [had|its been] [a] (bad|rough|tough|long|busy) day [today]|niggling|annoying|bit rough
        [a bit|bit] uncomfortable|could be worse|coping|niggly|[a] (niggle|dull ache)|not great
        moderate|medium|tolerable|moderate pain|so so|soso|[a] bit (sore|achy|painful|stiff)|sore|aching|achy
        not bad|not too bad|not so bad|manageable|bearable
    """,
    severe="""
        (its|it is|it was) very (sore|painful|bad)|it was a [very|really] (bad|rough|terrible|awful) (night|day)
        it hurts|[and] in tears|[the] worst (ever|yet|so far|its been|it has been|its ever been|pain ever)|(cant
        cannot) (cope|go on|take it
        take any more|take it anymore|take it any more|take much more|stand it any more|do anything|get up
        get comfortable|settle) [with it|with this]
        i (cant|cannot) (take it|stand it|bear it) (anymore|any more|any longer)|(could|i could) (cry|scream|weep)
        [i am|im] [so] (fed up|desperate|at my wits end|exhausted|shattered|worn out)
        feeling [very|really|so|a bit] (low|bad|rough|awful|terrible|poorly|down)|[very|so|too] much pain|[too
        so] painful
        very much (paining|pain)|[it is|its] paining [a lot|too much|very much|badly]|too much|not (coping
        managing) [well]
        [had] [a] [really|very] (bad|rough|rotten|dreadful|awful|terrible|horrendous|shocking) night|barely (moved|slept
        walked|coping)|hardly (moved|slept|walked)|(been|was) in bed all day|up all night|no rest|stuck in bed
        [i am|im] [really|very] (struggling|suffering)|not a good day|[a] [very|really] (bad|rough|tough) day
        feeling [a bit] sorry for myself|and fed up|had enough|ive had enough|its getting me down
        [it was|it is|its|was|im in|really|very|really really|pretty|so|absolutely|quite|absolute] (bad|painful|sore
        terrible|awful|horrible|severe|unbearable|excruciating|agony|dreadful|horrendous)
        [it] (hurts|hurt|is hurting) (a lot|badly|so much|very much|like hell)
        [i] (couldnt|could not|cant|cannot) [even] (sleep|bear it|stand it|walk|sit|move|sit down|get comfortable)\
         [at all]
        [had|its been] [a] (bad|rough|tough|terrible|awful|horrible) day [today]|not sleeping [well]|very uncomfortable
        [really|im] (struggling|suffering) [today|a lot|badly]|hurting [a lot|badly]|[its|it is] [absolutely] (awful
        shocking)
        no sleep [at all]
        havent slept|not slept|in tears|crying|struggling|agonising|throbbing|burning|horrid|shocking|horrific
        absolute (agony|hell|murder|misery)|not nice|giving me gyp|in bits|killing
        not good|not great|severe pain|a lot of pain|in a lot of pain|in agony|very bad pain|not happy
    """,
    improved="""
        [its been|it has been|absolutely|truly] life changing|changed my life|[the] best (thing i ever did
        thing ive done
        ive felt [in (years|ages|months)|for years]|ive been [in (years|ages|months)]|decision ever)|early days
        [im|i am] (getting there|on the mend|on the up|going in the right direction) [slowly]|slow but (sure|steady
        getting there)|slowly but surely|[got] my life back|feel [like] [a] [brand] new (woman|man|person)|so grateful
        brand new (woman|man|person)|[the] best decision i [ever] made|walking without [a|my] (stick|frame|crutches)
        [i am|im] [very|so|really] (grateful|pleased|happy) [with (the result|the results|it|that|progress
        how its going)]
        [much|a lot|a bit|a little] better (than before|than it was|than i was|day by day)
        [much|a lot|a bit|a little] better (each|every) (day|week)
        some improvement|moving in the right direction|wouldnt look back|never looked back|wish id done it sooner
        feel[ing] (20|ten|twenty) years younger|feeling (years younger|on top of the world)|[a] miracle|miraculous
        (still|bit) (sore|stiff|achy|tired|grumbling) but (better|happy|improving|ok)|couldnt be happier
        worth (it|doing|every minute)|no regrets|dancing again|walking (well|better|further)|back to (normal
        my old self)
        a touch better|[so|very|very very|much|very much|so much|lots|a lot|a bit|a little|a little bit|slightly
        somewhat|minimally
        loads
        massively|hugely|definitely|feeling|im|i am|miles|way] (improved|much better|a lot better|happy|pleased)
        (so|very|very very|much|very much|so much|lots|a lot|a bit|a little|a little bit|slightly|somewhat|minimally
        loads
        massively|hugely|definitely|feeling|im|i am|miles|way) better
        [a|an] [very] (big|huge|slight|small|definite|massive|great|good|real|marked|noticeable) (improvement
        difference)
        (definitely|still|slowly|gradually) improving|improving|[a] bit of an improvement
        fantastic|brilliant|amazing|great|wonderful|marvellous|excellent|delighted|over the moon|like new
        [im|i am|like] a new (man|woman|person)|feeling (great|good|fantastic|much better|a lot better)|best ive felt
    """,
    unchanged="""
        nothing changed|nothing (new|to report|much different|different)|(cant|couldnt) (say|tell) (much
        any) difference|same really
        not (really|much|any) (changed|different|better or worse)|(havent|not) noticed (much|any) (difference|change)
        as (i was|it was|before|ever)|about the same really|no further forward|no great change|still the same
        no (improvement|real change|change at all|change really)|no better no worse|neither better nor worse|same old
        no change|unchanged|[about|just|much|exactly] [the] same [as (ever|before|always|usual|it was)]|no (different
        difference|better no worse|better or worse)|nothing has changed|nothings changed|not changed|hasnt changed
    """,
    worse="""
        [the] worst (its been|it has been|ive been|ive felt|ever)|[its|ive] gone (downhill|backwards) [a bit|a lot]
        not what i (hoped for|expected|wanted|was hoping for)|[very|so|really|bit] (disappointed|disappointing|upset
        let down)
        wish id never had (it|it done)|[i] regret (it|having it)|[a] waste of time|going (downhill|backwards)
        [its] getting worse|[ive] got worse|(bit|slight|step) (of a setback|worse|backwards)|hasnt (worked|helped) [me
        at all]
        [so|very|much|very much|so much|a lot|a bit|a little|a little bit|slightly|somewhat|minimally|far|definitely
        feeling|im|i am|way|got] (much worse|a lot worse)|(so|very|much|very much|so much|a lot|a bit|a little|slightly
        a little bit|somewhat|minimally|far|definitely|feeling|im|i am|way|got) worse|(its|it has) got worse
        not (happy|good|great|pleased)|awful|terrible|dreadful
        unhappy|disappointed
    """,
)

FRAMES: Mapping[str, Frames] = MappingProxyType({"tr": _TR, "en": _EN})
"""A number in digits is read in the frames of every language, a number word in those of its own: `I'm on` is not 10."""

OF_HIGHEST_BEFORE = "HIGHEST (uzerinden|ustunden|uzeri|puan uzerinden)|out of HIGHEST|outta HIGHEST"
OF_HIGHEST_AFTER = """
    HIGHEST (uzerinden|ustunden)|bolu HIGHEST
    ([points] out of [a possible] HIGHEST|outta HIGHEST|of HIGHEST|over HIGHEST) [x|xx|xxx]
"""
OF_SCALE = """
    (on|in) [the|your|this|my] scale [i]
    [on|in] (a|the|your) scale (of|from) (0|1) to HIGHEST|on (the|your|a) (0|1) to HIGHEST [pain] scale
    [from] (0|1) to HIGHEST [id (say|give it)|its]|(0|1) (ile|ila|to) HIGHEST (arasi|arasinda|arasindan)
"""
"""How the item's own highest value is named beside an answer: `10 üzerinden 7`, `7 out of 10`."""

ORDINALS = ("birinci", "ikinci", "ucuncu", "dorduncu", "besinci", "altinci", "yedinci")
"""One of the answers of a scale from one by its place: `altıncı seçenek`."""

AS_SIZE = "l[iu]k"
"""The ending that makes a size of a number: `6lık`, `4'lük bir ağrı`. `birlik` is a word of its own."""
ENDINGS = ("ydi", "di", "du", "ti", "tu", "dir", "tir", "tur")
"""What Turkish glues to a number to say that it is or was: `7'ydi`, `beşti`."""
WITH_ENDING_LIKE_STOP = r"(dokuz|on|9(?=')|10(?='))'?dur"
"""`9'dur` is nine, `9 dur` and `9dur` may mean stop: this ending counts after nine and ten, and marked off."""


def pattern(parts: str) -> str:
    """Turn parts into one regular expression over words with a space after each."""
    lines = "|".join(line.strip() for line in parts.splitlines() if line.strip())
    spaced = re.sub(r"([a-z0-9]+)|\s+", lambda word: f"{word[1]} " if word[1] else "", lines)
    return spaced.replace("(", "(?:").replace("[", "(?:").replace("]", ")?")


def words(parts: str) -> frozenset[str]:
    """Return every word that is written in these parts."""
    return frozenset(re.findall("[a-z0-9]+", parts))


def _counting(language: str) -> str:
    """Match the number words that can stand before things one counts."""
    return "|".join(word for word, number in NUMBERS[language].items() if number)


_CHILDREN = "kizim|oglum|kardesim|evladim|yavrum|abi|abim|abla|ablam|kardes|doktor|hemsire|canim|guzel|kuzum"
_DESCRIBED_TR = pattern(f"{_TR.mild}\n{_TR.moderate}\n{_TR.severe}")

ORDINARY = re.compile(
    r"^(?!(?:.* )?ort).*\boldu "  # it is seven o'clock, it became seven
    rf"|\b(?:{_counting('tr')}) (?:agri|sanci)"  # iki ağrım var: two pains; on ağrı: ön ağrı, the pain in front
    rf"|\b(?:{_counting('en')}) pain"
    r"|\byedi (?:bitir|yutt|kemir|tuket)"  # it ate me up
    r"|\b[0-9]+ alti\b|\b(?:ort|tam)\w* (?:bugun )?alti\b"  # below 6, below average, right below; `6 (altı)` is 6
    rf"|\b(?:{_PLACE_TR}) (?:alti|on)\b"  # below the hip; ASCII for the front of the leg
    r"|\bbir (?!$|, |puan|sey (?:yok|olmadi|degismedi) |idi |d[iu]r? |ydi |ti |diy|deri|ver|bolu |over |olarak "
    r"|1 |[l][ui]k)"  # a …
    r"|\b(?:ort|ortalama|sadece|tam|yine|gene|hala|ayni|net|kesin|bugun\w*|gun|de|icin|canim|yavrum|ben|benim) bir\b"
    rf"|\b(?:{pattern(_TR.mild)})bir\b"  # a light …
    rf"|\b(?:{_counting('tr')}) (?:cevab|yanit|puanim)|\b(?:agri\w*mi|\w+[iu][mn][iu]) (?:yedi|on) (?!puan"
    rf"|olarak|diy|ver|uzer)"
    r"|\bone (?!$|, |points? |pts? |out |outta |of |over |tha?n?[kx]|please |pls |honestly |tbh |im afraid |1 )"
    r"|\b(?:am|im|thats|that|this|that is|that was|this is|only|just|still|same|again|today|put|full"
    r"|solid|bum|change|unchanged"
    r"|definitely|exactly|really|surely|sure|the|choose|pick|chose|picked|mark|day|hips?|legs?|buttocks?) one\b"
    rf"|\b(?:full|bum|change|unchanged|same|hips?|legs?|buttocks?) two\b|\b(?:{pattern(_EN.mild)})one\b"
    r"|\b(?:two|three|four) dear\b"
    rf"|\b(?:bir|iki|uc|dort) (?:{_CHILDREN})\b"  # my two daughters
    rf"|\b(?:[0-9]+|{_counting('tr')}) (?:{_DESCRIBED_TR})agri"  # three light pains
    rf"|\bon (?:hiss|{pattern(_TR.severe)})"  # ASCII for: the front hurts a lot
    r"|\b(?:puan|derece|seviye) (?:daha )?(?:iyi|kotu|rahat|hafif|az|fazla)"
    r"|\bpoints? (?:much )?(?:better|worse|improve)"  # so many points better
    r"|\b(?:doctor|doc|dr|nurse|team|all|everyone|folks|both|sir|madam|maam|mate|pal) (?:put|give|rate|mark|score)\b"
    r"|\bnot at all (?:0|zero)\b|\bsay (?:today )?at "
    r"|\ban? ,"  # a) 7
)
"""Where what looks like a number in its frame is something else, in a text whose punctuation is ` , `."""
