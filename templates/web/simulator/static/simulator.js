// Looks for new texts every two seconds and replaces the list and the thread; what is being typed is never touched.
(() => {
  "use strict";
  const phones = document.getElementById("phones");
  const list = document.getElementById("telephones");
  const thread = document.getElementById("thread");
  const body = document.getElementById("body");
  const toEnd = () => { if (thread) thread.scrollTop = thread.scrollHeight; };
  let version = phones.dataset.version;

  async function look() {
    if (!document.hidden) {
      try {
        const answer = await fetch(`${phones.dataset.fragment}since=${version}`);
        if (answer.status === 200) show(await answer.json());
      } catch { /* the simulator is restarting: look again */ }
    }
    setTimeout(look, 2000);
  }

  function show(news) {
    version = news.version;
    const focused = list.contains(document.activeElement) && document.activeElement.getAttribute("href");
    list.innerHTML = news.telephones;
    if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    if (!thread) { if (list.querySelector("a")) location.reload(); return; }
    const atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 40;
    thread.innerHTML = news.thread;
    if (atEnd) toEnd();
  }

  if (body) {
    body.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        body.form.requestSubmit();
      }
    });
    if (phones.classList.contains("one") && matchMedia("(min-width: 720px)").matches) body.focus();
  }
  toEnd();
  setTimeout(look, 2000);
})();
