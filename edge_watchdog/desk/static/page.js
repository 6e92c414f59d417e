// Keeps the page as new as the box: parts arrive on a stream, or are asked for every 15 s when that
// cannot be had; when the box itself falls silent, the page says so on its own.
(function () {
  "use strict";
  const page = document.body.dataset.page;
  const box = document.getElementById("box");
  if (!page || !box) return;

  const SILENT_MS = 30000, POLL_MS = 15000, ANSWER_MS = 4000, AGAIN_MS = 60000;
  const shown = {};
  let stream = null, heard = performance.now(), heardAt = text("clock"), silent = false;
  let polled = 0, refused = -AGAIN_MS, asking = false;

  function text(id) {
    const found = document.getElementById(id);
    return found ? found.textContent : "";
  }

  function alive(time) {
    heard = performance.now();
    heardAt = time;
    const clock = document.getElementById("clock");
    if (clock && clock.textContent !== time) clock.textContent = time;
    if (silent) say(false);
  }

  function say(now) {
    silent = now;
    document.documentElement.classList.toggle("silent", now);
    box.textContent = now
      ? "The box is not heard since " + (heardAt || "a while") + ". What stands below is from then."
        + " Keep this page open: it comes back by itself."
      : "";
  }

  function swap(name, html) {
    const old = document.getElementById("part-" + name);
    if (!old || shown[name] === html) return;
    const first = !(name in shown);
    shown[name] = html;
    const fresh = new DOMParser().parseFromString(html, "text/html").body;
    // The stream begins with what the page already shows: do not announce it again.
    if (first && fresh.textContent === old.textContent) return;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    for (const open of old.querySelectorAll("details[open][id]")) {
      const same = fresh.querySelector("#" + open.id);
      if (same) same.open = true;
    }
    old.replaceChildren(...fresh.childNodes);
    const again = focused && document.getElementById(focused);
    if (again) again.focus({ preventScroll: true });
  }

  function show(data) {
    const parts = data.parts;
    for (const name of Object.keys(parts)) swap(name, parts[name]);
    if (parts.title) document.title = parts.title;
    alive(data.time);
  }

  function listen() {
    if (stream || document.hidden) return;
    stream = new EventSource("/live?page=" + page);
    stream.addEventListener("view", (event) => show(JSON.parse(event.data)));
    stream.addEventListener("beat", (event) => alive(event.data));
    stream.addEventListener("error", () => {
      if (stream && stream.readyState === EventSource.CLOSED) {
        stream = null;
        refused = performance.now();
      }
      ask();
    });
  }

  function hush() {
    if (stream) stream.close();
    stream = null;
  }

  async function ask() {
    if (asking) return;
    asking = true;
    polled = performance.now();
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), ANSWER_MS);
    try {
      const answer = await fetch("/view.json?page=" + page, { signal: stop.signal, cache: "no-store" });
      if (!answer.ok) throw new Error("refused");
      show(await answer.json());
    } catch {
      if (!silent) say(true);
    } finally {
      clearTimeout(timer);
      asking = false;
    }
  }

  function look() {
    if (document.hidden) return;
    const now = performance.now();
    if (!stream && now - refused > AGAIN_MS) listen();
    if (now - heard > SILENT_MS && !silent) say(true);
    const quiet = now - heard > POLL_MS || !stream;
    if (quiet && now - polled > (silent ? 5000 : POLL_MS)) ask();
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      hush();
    } else {
      listen();
      ask();
    }
  });
  // A reload while the box is silent would lose the page that still holds the day.
  window.addEventListener("beforeunload", (event) => {
    if (silent) event.preventDefault();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      listen();
      ask();
    }
  });
  window.addEventListener("pagehide", hush);

  listen();
  setInterval(look, 1000);
})();
