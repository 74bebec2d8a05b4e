// A scanned card carries its code behind the #, which is never sent to a server. Put it into the field, and take it out
// of the address, so that neither the list of pages nor whoever looks over a shoulder gets to see it.
(function () {
  "use strict";
  function take() {
    var found = /^#([0-9A-Za-z]{8}|[0-9A-Za-z]{12})(?:\.([A-Z2-7]{16}))?$/.exec(window.location.hash);
    if (!found) { return; }
    var code = document.getElementById("code");
    code.value = found[1].replace(/.{4}(?=.)/g, "$& ");
    document.getElementById("mark").value = found[2] || "";
    if (window.history && window.history.replaceState) {
      window.history.replaceState(null, "", window.location.pathname + window.location.search);
    }
  }
  window.addEventListener("hashchange", take);
  take();
}());
