r"""The words of remarks beside an answer, per language, as data for `remarks`; all are folded (see `folding`).

A word may be written as a pattern: `\w*` stands for any ending. What must come before or
after it is written `(?<=…)` or `(?=…)`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Vocabulary(NamedTuple):
    r"""The words of remarks in one language; `\w*` stands for any ending."""

    link: str
    """Words without a meaning of their own."""
    says: str
    """What makes a statement of words: who, and verbs."""
    everyday: str
    """What people tell of their day: sleep, ways, weather, work, telephones."""
    others: str
    """Visitors and animals: a clause that names them may say how they are."""
    activity: str
    """Activities: the pain may be meant only during them, unless the clause also says how much or how well."""
    amount: str
    denied: str
    """Words that reverse what a clause says about how somebody is."""
    good: str
    bad: str
    changed: str
    """Good or bad compared with before, or as a whole: the others describe a score that must be mild or severe."""
    ill: str
    """Bad without any doubt."""
    hurts: str
    """Pain. An everyday word beside it may say when or where else it hurts."""
    places: str
    """What the question asks about; alone, or better or worse, one of them may be set against the other."""
    turns: str
    """Words that no unknown word may resemble."""
    moments: str
    """When, how often and in what position: what somebody did then changes no answer, a fragment with it does."""
    phrases: str
    """Statements as a whole that say nothing of how somebody is."""
    follow: str
    """The same of statements after the answer: before it they would say when the number holds, or what it is."""
    well: str
    """What says that somebody is better, in more than one word."""
    badly: str
    """The same of somebody who is worse."""
    fillers: str
    """What may stand in a statement without a meaning of its own."""
    sleeping: str
    """What a clause needs so that a night in it is more than the time that the number holds for."""
    complains: str
    """Where, when and in what: beside a complaint or praise, what it is about, and perhaps the number too."""
    being: str
    """The same of a clause that says no more than where somebody is."""
    opens: str
    """What begins a remark right after a number, without a comma: nothing that one counts."""
    closes: str
    """Courtesies that end a clause without a comma."""
    ends: str
    """What ends a remark right before a number, without a comma: nothing that a number belongs to."""
    scored: str
    """What may stand between a number and a remark that begins without a comma."""
    reasons: str
    """What makes a reason of a clause."""
    explains: str
    """What people did and when, in a reason alone; anywhere else the number may hold for that alone."""


_TURNING_EN = (
    r"(?:my|the|a|lower|bad) back|back (?:is|was|hurts?|ache|pain)|made (?:it|that) up|for now|so far|all over"
    r"|(?:long|more|further|harder|less) (?:as )?i"
)
"""Turning words that are harmless one by one."""

_EN = Vocabulary(
    link="""
        i im ive me my us we our the a an it its am be been being to in out up down off of from by and as so too very
        really quite pretty bit just still again all much more also even for over through along back there here lot
        lots loads ton little today now rather absolutely properly thanks thank sorry love x xx xxx please cheers
        since because cos feeling feel feels felt get getting got go going went gone do did done have has had having
        was were is are keep keeps kept make made some on only with into any anymore yet honestly unfortunately
        thankfully luckily sadly ages can able old new big fun cup round way far long last hope
    """,
    says="""
        overdid able can back i im ive its it was is am are were have has had did does do got went came felt
        feel slept walked made managed
        spent visited worked rained snowed helped helps washed cooked cleaned baked watched played kept hope enjoyed
        saw seen took ate bought drove travelled read forgot missed did been done gone feeling sleeping getting
        improved improving finished been \\w{3,}ed
    """,
    everyday="""
        sleep slept asleep sleeping awake walk walks walked town bus train car park church market garden gardened lawn
        weather rain rained raining rainy snow snowed cold damp wet heat hot sunny sun windy wind frost humid warm
        worked job shift office house home housework cleaned kitchen cooked washed laundry dishes tea coffee dinner
        lunch breakfast cake baked holiday holidays party wedding phone mobile glasses reading book telly tv film
        match football bingo busy quiet early travelled journey trip road traffic drove appetite mood spirits energy
        active missed late forgot charged battery signal message text seen saw seeing grass weeds flowers vegetables
        shed fence painted played watched bought shop shops choir club weekend managed day duvet mattress
        pillow night cat
        dog travel swimming bowling dancing drive visit visited visiting appetite chores shopped hoovered
        ironed weeding weeded mowed
    """,
    others="""
        grandson grandsons granddaughter granddaughters visitors guests family grandchildren grandkids
        kids friends friend dog cat birthday
    """,
    activity="""
        walking gardening working shopping cleaning driving travelling cooking ironing hoovering baking work
        stairs steps hill housework
    """,
    amount="""
        lot lots busy enjoyed better easier comfortable been improved lovely nuisance did some went more able
        can managed manage
    """,
    denied="""
        no not hardly barely scarcely didnt couldnt cant dont doesnt havent hasnt hadnt wasnt isnt arent
        werent wont cannot
    """,
    good="""
        mild slight gentle minor tolerable
        good better well nice lovely fine improved improving improvement easier happy happier pleased grateful
        comfortable comfortably enjoyed ok okay great relaxed calm settled easing eased peaceful excellent brilliant
        complain grumble
        fantastic wonderful amazing perfect delighted helped helps help soundly
    """,
    bad="""
        bad badly rough worse poor poorly awful difficult hard tough trouble struggle struggled struggling nuisance
        tired exhausted knackered fed uncomfortable restless miserable disturbed annoying bother bothering
        grumpy sleepless horrible rotten dreadful terrible disappointed unhappy rubbish lousy
    """,
    changed="""
        better worse improved improving improvement easier happier easing eased tired exhausted helped helps
        help
    """,
    ill="""
        severe extreme intense nightmare brutal killing killer sharp stabbing burning agony unbearable
        excruciating horrendous torture hell tears cry weep scream crying cried screaming
    """,
    hurts="hurt hurts hurting ache aches aching ached sore pain pains painful stiff",
    places="hip hips leg legs buttock buttocks bum",
    turns="""
        yesterday tomorrow tonight morning noon midday midnight afternoon evening monday tuesday wednesday thursday
        friday saturday week month year hour minute second times time days nights daily earlier later recent
        lately past next then before after during until till unless except without within whenever when while
        whilst where wherever although though but however despite instead either neither both half both every each
        sometimes usually often always mostly mainly occasionally rarely never especially particularly otherwise
        provided depend vary varies varied variable fluctuat chang apart alone besides once whether first final
        maybe perhaps possibly probably about around roughly nearly almost approx between least most maximum
        minimum worst best peak higher highest lower lowest average typical guess think thought reckon suppose
        believe unsure sure certain know knew dunno doubt ignore wrong mistake typo cancel scrap delete disregard
        correct mean meant joking kidding joke lied lying pretend answer score scale number question rate rating
        level option choice choose chose pick random press click typed rounded rounding would should could might
        wish used suppos imagine assum estimat confus forget understand autocorrect oops
        mother father mum mam mom dad brother sister husband wife son sons daughter partner aunt uncle cousin niece
        nephew neighbour neighbor grandma grandad granddad grandpa nana nanny gran granny grandmother grandfather
        carer caretaker patient boyfriend girlfriend spouse baby child fiance roommate lodger colleague
        said says say saying told tell wrote writing write typing asked ask called call calling ring phoned
        this that these those they them their theirs you your yours someone somebody other another others he she him
        his her hers who everyone anyone people nurse doctor
        wait stop advise advice appointment prescription need want send check contact arrange speak talk worried
        worry concern scared afraid
        knee ankle foot feet toe toes heel calf thigh shin groin neck shoulder arm arms elbow upstairs wrist hand
        finger thumb head headache migraine tooth teeth jaw ear ears eye eyes nose throat chest heart lung breath
        stomach belly tummy abdom bowel bladder kidney liver spine spinal pelvi rib ribs skin spleen womb gout
        arthrit sciatic hernia shingles period cramp spasm allerg diabet asthma cancer tumour tumor lump
        left right side sides upper
        tablet pill painkill paracet ibuprof codein morphi tramadol gabapentin pregabalin naproxen aspirin
        medic meds dose dosage inject gel patch cream capsule drug physio steroid antibiotic
        sit sat sitting stand stood lie laid rest rested resting bend bent lift climb move moved moving turn touch
        cough sneez run ran running jump exercis stretch twist kneel
        fell fall falls fallen falling tripped tripping slip slipped stumbl collaps faint dizz bleed bled blood
        fever temperature
        infect swell swollen numb tingl weak wound pus rash redness vomit sick nausea hospital ambulanc emergenc ward
        admitted accident injur died dead death funeral urin incontin constip diarrh seizure stroke suicid
        broke broken fractur bruis unwell covid virus clot stitch scar burn lost losing weight
        third twice double triple couple dozen several few percent degree hundred
        same different opposite usual normal nothing none worsen
        decid decision count like less fewer greater bigger strong weaker extra minus plus below above under drop rise
        rose rising increas decreas reduc spik lasted lasts start begin began ended ends brief anything something
        whatever put mile miles kilo kilos steps cups metre feverish let lets come coming give gave
        leak ooz lock
        discharg pins needle blur palpit pressure chok panic depress hopeless lonely dying anxi shak sweat
        chill blister
        itch sting catheter wheelchair scan xray operation surgery treatment trial study placebo device remov
        idea wonder dice coin lotter quiz golf belong
        remember recall recollect many includ exclud compar ignor discount inch pound pounds stone
    """,
    moments="""
        yesterday tomorrow tonight morning noon midday afternoon evening monday tuesday wednesday thursday
        friday saturday week month year hour hours minute minutes time times days nights twice once few several
        couple sit sitting sat stand standing stood lie lying lay laid rest rested resting bend bending lift
        lifted lifting climb climbed climbing move moved moving run ran running exercise exercises every nothing
        upstairs put come coming let always often whole could
    """,
    phrases=r"""
        |just (?:seen|saw|got|found|noticed|read) (?:this|it|your|the) ?(?:text|message)?|late (?:reply|response)
        |(?:it )?(?:has )?changed my life|nothing to complain (?:about|of)|sleeping through the night
        |(?:tired|sore|achy|stiff|slow|knackered) but (?:ok|okay|happy|getting there|coping|managing|improving|fine
        |good)
        |(?:still |bit )?(?:stiff|sore|grumbling) but (?:ok|okay|happy|better|coping|managing|improving)
        |(?:the )?(?:heating|boiler|lift|car|bus|train|washing machine|radiator) (?:has |had |is )?(?:broke|broken
        |packed up)
        (?: down)?(?=$| and\b)|(?:the )?(?:cold|damp) (?:got|gets|has got|goes|went) (?:in)?to my (?:hips?|legs?|bones
        |joints)
        |(?:the )?weather (?:is |has been |very |so |really |too |a bit )*(?:cold|hot|damp|wet|awful|terrible|bad
        |horrible
        |miserable|freezing|lovely|nice|warm|rainy)(?: here| today| outside)*|despite the (?:rain|heat|cold|damp
        |weather)
        |(?:been )?doing my exercises(?: every day| daily)?|(?:the|my) (?:hip|leg|hips|legs) (?:is|are) playing up
        |(?:for the )?first time (?:ever|in (?:ages|years))|off to (?:bed|bingo|church|the shops|work|town
        |my club)(?: now)?|early days|(?:sorry )?for (?:my |the )?spelling
        |(?:without|no|not got|havent got|have not|havent|not) my (?:reading )?glasses(?: on)?
        |hope (?:thats|this is|it is|its) (?:ok|okay|alright|all right|fine|enough|clear)
        |for (?:my |the )?(?:bad )?(?:typing|english|writing)
        |(?:my )?(?:bad|poor) (?:eyes|eyesight|sight)
        |slowly getting there|out and about|on my feet|not too bothered|rain or shine|long day|quiet day
        |hope you(?:re| are) (?:all )?(?:keeping )?(?:well|ok)
        |took the dog (?:out|for a walk)|(?:you(?: have|ve)? )?(?:given|gave) me my life back
    """,
    follow=r"""
        |(?:the )?(?:cat|dog|phone|rain|noise|wind|storm) woke me(?: up)?
        |(?:(?:but|and|it|its|gets|a|bit|little|slightly|much) )*worse (?:at nights?|in the (?:morning|evening)s?
        |on (?:the )?stairs|after walking|when i (?:walk|stand|sit|move|lie down|bend))
        |(?:but )?yesterday (?:it )?was (?:a |much |far |bit |lot |little |slightly )*(?:worse|better|higher|lower
        |harder|easier)
        |(?:but )?(?:it was|i was|it had been) (?:a |much |far |bit |lot |little |slightly )*(?:worse|better|higher
        |lower) yesterday
        |see you (?:on )?(?:monday|tuesday|wednesday|thursday|friday|tomorrow|next week)
    """,
    well=r"""
        (?:i )?(?:can|able to) (?:now )?(?:even )?(?:walk|climb|sleep|drive|dance|garden|cook|get|sit|stand|do|manage
        |put)
        (?: (?:to|the|on|my|up|down|stairs|side|shops?|shopping|socks|shoes|bus|dog|again|a|mile|round|block|garden|park
        |church|town|out|and|about|properly|in|own|myself|car))*(?: now| again)
        |(?:i |ive )?(?:slept|sleeping) like a (?:baby|log)|(?:the |my )?(?:injection|procedure|treatment|operation)
        (?: has| really| definitely)* (?:helped|worked|done wonders|been a success)
        |(?:a )?(?:so |bit |little |much |lot )*better than (?:last (?:week|month|time)|yesterday|usual
        |before(?: (?:the|my) (?:injection|jab|procedure|operation|op|treatment|surgery))?)
        |(?:feeling |feel )?(?:more )?like (?:myself|my old self)|my life back
    """,
    badly=(
        "(?:the |my |your )?(?:jab|injection|shot|tablets?|pills?|painkillers?|medication|meds|medicine|treatment"
        "|procedure)(?: (?:has|have|had|really))* (?:(?:done|did|does|do) nothing|useless|(?:didnt|doesnt|dont|hasnt"
        "|havent|isnt|arent) (?:really )?(?:work|worked|working|help|helped|helping|do anything|done anything|touch it"
        "|touching it))(?: at all| for me| for it)*|(?:a )?(?:bit |little |much |lot )*worse than (?:last (?:week"
        "|month|time)|yesterday|usual|before)"
        "|up all night|in bed all day(?: with it)?|had enough"
    ),
    fillers=r"""
        |(?:couldnt|could not) be(?= (?:better|happier))|(?:cant|cannot|couldnt|mustnt)(?= (?:really )?(?:complain
        |grumble))
        |for the first time in (?:months|years|weeks|ages)|to be honest|if im honest|im sorry to say|thank god
        |thank goodness|this(?= (?:\w+ )?weather)|your(?= (?:text|message))|get(?:ting)? about
        |(?<=back) from|in a lot of(?= pain)|a wink|(?:lot|lots|bit) of|because of
        |any (?=difference|change)|(?:all|too) (?:much|day)(?: long)?
    """,
    sleeping=r"slept|sleep|(?:bad|rough|awful|terrible|horrible|good|great|sleepless|restless|lovely|hard) night",
    complains=(
        r"(?:_FELT) (?:now |today |again )?(?:on|in|by|with|under)|(?:_HURTS)\b.* (?:on|in|by|with|under|from|to|for)"
        rf"|{_TURNING_EN}"
    ),
    being=(
        r"(?:im|its|is|am|are|was|were) (?:still |just |out |back |up )?"
        rf"(?:on|in|by|with|from|for|of|out|down|back|home)|{_TURNING_EN}"
    ),
    opens=(
        "because|cos|coz|cuz|as i|as i've|as ive|as we|i|im|i'm|ive|i've|been (?!taken|given|told|asked|used|eaten"
        "|done|had)|slept|couldnt|couldn't|cant|can't|didnt"
        "|didn't|havent|haven't|struggling|not|barely|hardly|had a|had to|feeling|feel|really|still|much better|so"
        "|and (?=feel|improv|happy|fed|very|im|i'm|getting|still|not|so|glad)|but (?=coping|managing|ok|happy|getting)"
        "|(?:but|and) (?=(?:(?:it|its|gets|a|bit|little|slightly|much) )*worse (?:at|on|in|when|after))"
        "|tired|exhausted|bad night|rough night|my (?=hips?|legs?)|the weather|weather (?=is|very|so|cold|awful"
        "|terrible|bad|has)|despite|too much|we had"
    ),
    closes="thank you|thanks|sorry|im afraid|i'm afraid|bless you",
    ends=(
        "so|so its|so it's|so a|so i say|therefore|hence|not good|not great|awful"
        "|terrible|rough night|bad night|bad day|good day|rough day"
    ),
    scored="today|for me|only|please|sir|madam|doctor|nurse|love|out of (?:10|ten)",
    reasons=(
        r"^(?:(?:been|was) (?:sat|sitting|stood|standing|lifting|driving|decorating|carrying|busy|out)"
        r"|we (?:had|went|did|were)|(?:just )?(?:got )?back from(?= )|(?:i )?(?:spent|carried|overdid|went|drove"
        r"|travelled|did)"
        r"|because(?: of)?|cos(?: of)?|coz|cuz|due to|as(?= (?:i|ive|im|we|the|weve|its|it)\b)|since i(?= did| had"
        r"| over))\b"
    ),
    explains="""
        sit sat sitting stand stood standing bend bent bending lift lifted lifting climb climbed move moved moving
        run ran rested lie lay laid yesterday long bed feet floor boxes boiler bags chair
    """,
)

CONDITIONS_TR = (
    r"\w+(?:[dt][ae](?:ki|y\w+)|[rzylmn]s[ae](?:[mnk]|niz|ler)?|[iu]nc[ae]|ken|d[iu]kc[ae]|m[ae]d[ae]n"
    r"|[ae]r[ae]k|[ae]c[ae][gk]\w*|m[iu]s\w*|g[iu]m?d[ae])|icindeyim|disindayim"
)
"""Conditions, manners, where somebody is, what is to come and what was heard, all by their endings."""

_TR = Vocabulary(
    link="""
        ve cok daha biraz birazcik az hala yine gene artik bugun ben benim bana beni biz bizim icin diye ki yani
        valla maalesef malesef bayagi epey oldukca gercekten simdi tesekkurler tesekkur ederim sagolun sagol efendim
        ondan oyle boyle bile iyice sadece gayet pek hic hep size olsun hayirlisi yuzunden dolayi da de oldu oldum
        var elhamdulillah masallah hocam
    """,
    says=r"""
        degismedi oluyor \w+[dt][iu][mk] \w+yor(?:um|uz) \w+[iu]y[iu]m oldu oldum oldugu geldi geldiler gecti
        geciyor \w+di \w+du
        soguk sicak agriyor var bozuk yorgunum yagiyor
    """,
    everyday=r"""
        uyutma\w+ (?:uyu|yuru|gez|calis|yorul|dinlen|uyan|dolas|gid|git|gel|cik)\w*[mk]
        (?:yap|kal(?!ca)|ugras|temizle|pisir|gor|gec|geciktir)\w*[mk]
        uyku\w* yuruyus\w* hava\w* yagmur\w* soguk\w* sicak\w* nem\w* ruzgar\w* gunes kar ev eve evi evden
        isim islerim
        isten yolculuk\w* bahce\w* cicek\w* pazara carsi\w* market\w* alisveris\w* cami\w* namaz\w* dua\w* bayram\w*
        dugun\w* temizlik\w* yemek\w* bulasik\w* camasir\w* utu\w* cay\w* kahve\w* kahvalti\w* telefon\w* sarj\w*
        gozlug\w* gozluk\w* mesaj\w* gec geldi gecti geciyor gecirdim gun gunum geceyi keyfim moral\w*
        istah\w* enerji\w*
        merdiven\w* yokus\w* ayakta yogun mesgul\w* kalabalik kitap\w* oldugu yagdi yagiyor bozuk yeni hayat\w*
        hisse\w+[mk] yol yolu koy koye ekmek\w* torunlar\w* misafir\w* arkadaslar\w* gecem gece sizi
    """,
    others=r"torunlar\w* misafir\w* arkadaslar\w*",
    activity="",
    amount="",
    denied=r"""
        (?!namaz|degis)\w+[ae]m[ae](?:d|z)\w* \w+[ae]m[iu]yor\w* (?!degis)\w+m[ae]d[iu]\w* \w+m[iu]yor\w* yok
        hic degilim
    """,
    good=r"""
        iyi iyiyim iyidir iyiydi\w* guzel\w* rahat\w* hafif\w* mutlu\w* memnun\w* duzel\w* iyiles\w* toparla\w*
        azaldi azaliyor kolay\w* huzurlu\w* keyifli\w* keyfim sevin\w* harika\w* super mukemmel\w*
    """,
    bad=r"""
        kotu kotuydu\w* kotuyum kotules\w* zor zordu\w* zorlan\w* yorgun\w* yorul\w* yorucu\w* bitkin\w* uykusuz\w*
        sikinti\w* uzgun\w* huzursuz\w* agirlas\w* berbat\w* bozuk
    """,
    changed=r"daha duzel\w* iyiles\w* toparla\w* azaldi azaliyor kotules\w* agirlas\w* yorgun\w* yorul\w* uykusuz\w*",
    ill=r"dayanilmaz\w* felaket\w* perisan\w* korkunc\w* iskence\w* mahvol\w* agladi\w*",
    hurts=r"agri agrim agrilarim agridi agriyor agriyordu sizliyor sizladi aciyor acidi",
    places="kalcam bacagim bacaklarim kalcalarim",
    turns="""
        istem demek anla hatirla unut yazm yazan yazdi yazil cevapl yanitl isaret sectim seciyo gonder
        dun yarin sabah oglen ogle aksam gunduz hafta ay yil sene saat dakika gunler pazartesi sali carsamba persembe
        cuma cumartesi bazen genelde genellikle nadiren arada surekli zaman once sonra beri sirasinda esnasinda iken
        eger yoksa halinde takdirde ragmen fakat lakin ama ancak degil belki galiba sanirim herhalde muhtemelen
        yaklasik civari asagi yukari ortalama maksimum minimum kesin emin bilmiyorum bilmem bilemedim yanlis hata
        iptal sil bosver saka yalan duzeltme puan skor sayi rakam soru cevap yanit secenek olcek derece seviye
        anne babam babas babaa karim kocam oglum kizim kizi kardes abim abla teyze halam amca dayim dede nine
        yenge damat gelin kayin komsu hasta yakin refakat bakici kuzen yegen torun esim
        diyor dedi soyle yazdir istedi sordu hanim bey
        belim belde sirt boyun boynu omuz omzum kolum kolla elim eller parmak bilek bileg dirsek basim dizim dizle
        ayag ayakl baldir topuk topug uyluk kasik kasig karin karni mide gogus gogsu kalp kalbi gozum gozle kulak
        disim disle bobre ciger bagirsa mesane idrar kaburga cene migren fitik siyatik romatizma
        sol sag diger obur oteki ust alt yan
        ilac hap hapi hapim hapin hapla haplar haplari tablet doz dozu kesici igne merhem krem bant surup parol fizik
        tedavi
        yatt yatar egil kaldir tirman dondu bastim basti oksur kostu
        dust dusme kanama kanad kaniy ates enfeksiyon iltihap sislik sisti siski uyusma uyusmu uyust uyusu
        karinca gucsuz yara
        irin dokuntu kusma kustu bulanti hastane ambulans acil kaza kirik kirild morar bayil tansiyon seker felc
        vefat oldur cenaze hastaland grip covid nezle
        ara arayin arar yardim lutfen randevu kontrol recete gonder
        istiyor isterim lazim gerek ihtiyac merak korku endise rastgele sallad uydur degisiyor degisken bazi
        bazen her herkes
        ozellikle gecen onceki simdilik onun onlar bunu sunu uyudu uyuyor yurudu yuruyor yatti kalkti dinlendi bilme
        emekle dikis yanik kaybet ilk ikinci ucuncu yarim bucuk cift kere defa kez kat tane adet ayni farkli
        normal hareket
        miyim muyum yuksel artti artiyor artan gitgide gittikce giderek karar kafadan attim olceg sayma kilo
        kilometre bardak fincan bittim tukend coktum panik depres umutsuz yalniz titre
        fazlasi azi yaziyo kestirem secem tutturam
        terled usutt kasin alerj tomografi ameliyat kilitl bosal tutul nabiz carpinti bogul oksijen cihaz plasebo
    """,
    moments="""
        dun yarin oglen ogle aksam aksama aksamdan gunduz gecenin hafta haftasonu saatlerce gunler pazartesi
        sali carsamba persembe cuma cumartesi bazen arada surekli zaman defa kez kere ilk kadar yattim yatti
        kostum tirmandim egildim
    """,
    phrases=r"""
        |cok sukur|allaha sukur|sukurler olsun|kusura bakma(?:yin)?|sag ol(?:un)?|allah razi olsun|gozlugum yok
        |goz(?:lerim|um) (?:iyi |pek )?gormuyor|hayatim kurtuldu
        |hava(?:lar)? (?:bozdu|bozuldu|sogudu|degisti)|telefonum (?:kapaliydi|bozuktu|cekmiyordu|sessizdeydi)
        |misafir(?:im|ler)? vardi
        |zor yaziyorum|gec (?:gordum|yazdim|kaldim)|yeni gordum|hayatim degisti|(?:hava )?soguk oldugu icin
        |hava(?:lar)? (?:cok |biraz |bugun |da )*(?:soguk|sicak|kotu|nemli|yagmurlu|bozuk|guzel)|(?:yagmura|soguga
        |sicaga) ragmen|gozlu(?:gum|k) yok
        |hava(?:lar)? (?:\w+[iu]nc[ae]|\w+d[iu]) agri\w* artti
        |kalcam sizliyor|torunlar(?:im)? geldi(?: yoruldum)?
    """,
    follow=r"""
        |(?:ama )?(?:yuru(?:rken|yunce)|merdiven (?:cikarken|cikinca)|oturunca
        |otururken|yatinca|yatarken|egilince|egilirken|geceleri|yagmurda
        |yagmur yaginca|soguk(?:ta| havada)|cok yuruyunce)(?: biraz| cok| daha| bazen)*
        (?: zorlaniyorum| artiyor| fazlalasiyor)
        |(?:ama dun(?:ku)?|dun(?:ku)? (?:agrim )?daha)(?: agrim| daha| biraz| cok| epey)* (?:fazlaydi|coktu|azdi
        |iyiydi|kotuydu|hafifti|siddetliydi|iyiydim|kotuydum)
        |(?:ama )?yarin(?:a)? allah (?:kerim|buyuk|bilir)
        |(?:yarin|haftaya|pazartesi|sali|carsamba|persembe|cuma)(?: gunu)?(?: kontrole| size| hastaneye)?
        (?: geliyorum| gelecegim| gorusuruz| gelirim)
    """,
    well=r"""
        (?:igne|islem|tedavi|ameliyat)(?: cok| gercekten)* (?:iyi geldi|ise yaradi|faydali oldu)|(?:gecen haftadan
        |dunden|dunkunden)(?: daha| cok)? iyi(?:yim)?
        |(?:sanki )?yeniden dogdum(?: sanki)?|(?:artik )?(?:merdiven|yuruyus|pazara|markete|camiye|namaz|yuru|uyu|otur
        |gez)
        (?: )?(?:cik|yap|gid|kil)?[ae]bil(?:iyorum|dim|iyoruz)(?: artik)?
    """,
    badly=(
        r"(?:igne\w*|ilac\w*|hap\w*|tedavi\w*|agri kesici\w*|islem\w*)(?: (?:da|de|hic|bir|pek|ise|fayda\w*|etki\w*|kar"
        r"|bana))* (?:yaramadi|yaramiyor|etmedi|etmiyor|kesmedi|kesmiyor|tutmadi|gecirmedi)"
        "|(?:cok |bayagi )?(?:kotu|zor) (?:bir )?geceydi"
        "|(?:gecen haftadan|dunden|dunkunden)(?: daha| cok)? kotu(?:yum)?|cok cektim"
        "|umdugum gibi (?:olmadi|degil)|bekledigim gibi (?:olmadi|degil)"
    ),
    fillers=r"""
        |ilk (?:defa|kez)|eskisi gibi|sabaha kadar(?= uyu)|kendimi (?=iyi|cok iyi|kotu|cok kotu)|bir sey degil
        |(?:bu|butun|tum) gun|(?:butun|tum) gece(?= (?:hic )?uyu)|merdiven(?:den|lerden) sonra(?= uyuyamadim)
    """,
    sleeping=r"uyu\w*[mk]|uyutma\w+|gece\w* (?:\w+ )?(?:gecirdi[mk]|gecti)",
    complains=rf"{CONDITIONS_TR}|(?!ayakta\b|bende\b)\w{{2,}}(?:[dt][ae]|l[ae])",
    being=CONDITIONS_TR,
    opens=(
        r"(?:cok|biraz)(?= (?:daha|\w+(?:[dt][iu][mk]|yorum|yiyim))\b)|hala|hic|pek|butun gun|hayatim|yuruyusum|uykum"
        r"|keyfim|moralim|uyu[yt]a?m\w+|yuruye?m\w+|cunku|ama (?=dun |idare|katlan|iyi|sukur|cok sukur)|ve (?=iyi"
        r"|cok iyi"
        r"|rahat"
        r"|mutlu|memnun)|yeniden (?=dogdum)|son (?=gunlerde|zamanlarda)|bugun|kalcam|bacagim|bacaklarim|agrim"
        r"|havalar?|(?:yagmura|soguga|sicaga) ragmen(?= *(?:$|[,.!;]))|uyku|idare"
        r"|(?:ama )?geceleri (?=art)|ama (?=yuru\w+ce|yururken|merdiven|otur|yatinca|yatarken|egil|geceleri)"
        r"|katlan\w+|agliyor\w*|agladi\w*|bikti\w+|yoruldu\w+|yorgun\w*|rahatla\w+|rahatim|iyiyim|kotuyum|mutluyum"
        r"|memnunum|yavas yavas|giderek iyi\w*|keske|umdugum|degisen bir|dayanam\w+|gozlugum|bayagi|epey|gayet|oldukca"
        r"|canim (?=yan)|hocam|doktor bey|doktor hanim|hemsire hanim|sanki yeniden|cok (?=agr|canim|kotu|zor|aci|iyi"
        r"|rahat)"
    ),
    closes=(
        "iyi gunler|iyi aksamlar|iyi geceler|hayirli gunler|hayirli aksamlar|kolay gelsin|saygilar|selamlar"
        "|cok sukur|allaha sukur|allah razi olsun|tesekkurler|tesekkur ederim|kusura bakmayin|kusura bakma|sagolun"
        "|hocam|maalesef"
    ),
    ends=(
        r"zor yaziyorum|iyi geldi|ise yaradi|iyiyim|rahatim|kotuyum|yorgunum|mutluyum|memnunum|[dt]aha iyi|cok iyi"
        r"|cok kotu|gecirdim"
        r"|uyuyamadim|uyudum|yoruldum|zorlandim|rahatladim|ondan|o yuzden|bu yuzden"
        r"|soguk|yagmurlu|toparladim|iyilestim|duzeldim"
    ),
    scored="puandi|di|du|ti|tu|ydi|idi|dir|tir|veriyorum|diyorum|derim|verdim|diyelim|maalesef|hocam",
    reasons=r"^cunku\b|\b(?:ondan|o yuzden|bu yuzden|diye|yuzunden|sebebiyle|olduguicin|oldugu icin|oldugundan)$",
    explains="""
        dun yattim kalktim oturdum kaldirdim egildim tasidim merdiven merdivenleri cok uzun zaman ayakta ayakkabi poset
        yagmur hava havalar
    """,
)

VOCABULARIES: Mapping[str, Vocabulary] = MappingProxyType({"en": _EN, "tr": _TR})
