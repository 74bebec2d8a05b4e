// Today, made quicker: keys while the focus is in a row, and lists that refresh themselves. All of it
// works without this file too. Refreshing keeps no session alive, and never changes what somebody is choosing or typing.
(function () {
  "use strict";
  var EVERY = 60000;
  var lists = document.getElementById("lists");
  var act = document.getElementById("act");
  if (!lists || !act || !window.fetch) { return; }

  function all(what) { return Array.prototype.slice.call(lists.querySelectorAll(what)); }
  function rowOf(element) { return element && element.closest ? element.closest("li, article") : null; }
  function idOf(row) {
    var link = row && row.querySelector("a.button");
    return link ? link.getAttribute("href").split("/").pop() : null;
  }
  function rowWith(id) { return all("a.button").map(rowOf).filter(function (row) { return idOf(row) === id; })[0]; }

  // Keys ---------------------------------------------------------------------------------------------------------------

  function focusOn(row) {
    var pick = row && row.querySelector(".pick input");
    if (pick) { pick.focus(); }
  }

  function step(row, by) {
    var rows = all(".pick input").map(rowOf);
    focusOn(rows[Math.max(0, Math.min(rows.length - 1, rows.indexOf(row) + by))]);
  }

  // What the form does, by the beginning of what it sends; always with the row that has the focus, too.
  var ACTS = { a: "acknowledge", s: "later.", h: "hand.", w: "why.", r: "end" };

  function ready(row, what) {
    var options = Array.prototype.slice.call(act.elements.namedItem("do").options);
    var wanted = options.filter(function (option) { return option.value.indexOf(what) === 0; })[0];
    if (!wanted) { return; }
    row.querySelector(".pick input").checked = true;
    wanted.selected = true;
    if (what === "acknowledge") { act.querySelector("button").click(); } else { act.elements.namedItem("do").focus(); }
  }

  function pressed(event) {
    var row = rowOf(event.target);
    if (event.ctrlKey || event.altKey || event.metaKey) { return; }
    if (event.key === "?") {
      var keys = document.getElementById("keys");
      keys.open = !keys.open;
      if (keys.open) { keys.scrollIntoView({ block: "nearest" }); }
    } else if (!row) {
      return;
    } else if (event.key === "j" || event.key === "k") {
      step(row, event.key === "j" ? 1 : -1);
    } else if (event.key === "Enter" && event.target.type === "checkbox") {
      row.querySelector("a.button").click();
    } else if (event.key === "Escape") {
      all(".pick input:checked").forEach(function (pick) { pick.checked = false; });
    } else if (Object.prototype.hasOwnProperty.call(ACTS, event.key) && row.querySelector(".pick")) {
      ready(row, ACTS[event.key]);
    } else {
      return;
    }
    event.preventDefault();
  }
  // Single letters count only while the focus is in the lists (WCAG 2.1.4), never in a field.
  lists.addEventListener("keydown", pressed);
  act.addEventListener("keydown", function (event) {
    var chosen = lists.querySelector(".pick input:checked");
    if (event.key === "Escape" && chosen) { chosen.focus(); event.preventDefault(); }
  });

  // After something was done, one goes on where one was.
  var about = lists.getAttribute("data-about");
  if (about && document.getElementById("did")) {
    var again = rowWith(about) || rowOf(lists.querySelector(".pick input"));
    var pick = again && again.querySelector(".pick input");
    if (pick) { pick.focus({ preventScroll: true }); }
  }

  // Refreshing ---------------------------------------------------------------------------------------------------------

  var tag = null, timer = null, touched = false, asking = false;
  act.addEventListener("input", function () { touched = true; });

  function busy() {
    return document.hidden || touched || act.contains(document.activeElement);
  }

  function show(name, on) { document.getElementById(name).hidden = !on; }

  function stop() {
    window.clearInterval(timer);
    timer = null;
    show("signed-out", true);
  }

  function ids() { return all("a.button").map(rowOf).map(idOf); }

  function said(name, n) { return lists.getAttribute(name).replace("{n}", n); }

  function told(before, after) {
    var came = after.filter(function (id) { return before.indexOf(id) < 0; }).length;
    var went = before.filter(function (id) { return after.indexOf(id) < 0; }).length;
    var words = [];
    if (came) { words.push(said("data-came", came)); }
    if (went) { words.push(said("data-went", went)); }
    if (words.length) { document.getElementById("news").textContent = words.join(", "); }
  }

  function put(html) {
    var before = ids(), row = rowOf(document.activeElement), inside = lists.contains(document.activeElement);
    var held = inside ? idOf(row) : null, onLink = inside && document.activeElement.tagName === "A";
    var chosen = all(".pick input:checked").map(rowOf).map(idOf);
    var place = before.indexOf(held), top = row ? row.getBoundingClientRect().top : 0;
    lists.innerHTML = html;
    chosen.map(rowWith).forEach(function (kept) {
      var pick = kept && kept.querySelector(".pick input");
      if (pick) { pick.checked = true; }
    });
    if (held) {
      // What had the focus has ended: the row that stands in its place now.
      var now = rowWith(held) || rowWith(ids()[Math.min(place, ids().length - 1)]);
      var target = now && now.querySelector(onLink ? "a.button" : ".pick input");
      if (target) {
        target.focus({ preventScroll: true });
        window.scrollBy(0, now.getBoundingClientRect().top - top);
      }
    }
    told(before, ids());
  }

  function refresh() {
    if (asking || busy()) { return; }
    asking = true;
    var headers = tag ? { "If-None-Match": tag } : {};
    window.fetch(lists.getAttribute("data-from"), { headers: headers, cache: "no-store", credentials: "same-origin" })
      .then(function (answer) {
        if (answer.status === 401 || answer.redirected) { stop(); return null; }
        show("unreached", answer.status !== 304 && !answer.ok);
        if (!answer.ok) { return null; }
        return answer.text().then(function (html) {
          // Somebody may have begun to choose meanwhile; the next minute brings the same.
          if (!busy()) { put(html); tag = answer.headers.get("ETag"); }
        });
      })
      .catch(function () { show("unreached", true); })
      .then(function () { asking = false; });
  }

  timer = window.setInterval(refresh, EVERY);
  document.addEventListener("visibilitychange", function () { if (!document.hidden && timer) { refresh(); } });
  // For whoever wants it at once, and for tests.
  document.addEventListener("pro:refresh", function () { if (timer) { refresh(); } });
}());
