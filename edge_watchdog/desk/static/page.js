// Keeps the page as new as the box: parts arrive on a stream, or are asked for every 15 s when that
// cannot be had; when the box itself falls silent, the page says so on its own.
(function () {
  "use strict";
  const page = document.body.dataset.live;
  const box = document.getElementById("box");
  if (!page || !box) return;

  const SILENT_MS = 30000, POLL_MS = 15000, ANSWER_MS = 4000, AGAIN_MS = 60000;
  // Over the secure address a reload while the box is off shows what was kept; see sw.js.
  const worker = location.protocol === "https:" && navigator.serviceWorker;
  if (worker) worker.register("/sw.js").catch(() => {});
  const others = () => Boolean(worker && worker.controller); // do other pages open while it is off?
  const shown = {};
  let stream = null, heard = performance.now(), heardAt = text("clock"), silent = false;
  let polled = 0, refused = -AGAIN_MS, asking = false, mark = "", tag = "";

  function text(id) {
    const found = document.getElementById(id);
    return found ? found.textContent : "";
  }

  function alive(time) {
    heard = performance.now();
    heardAt = time;
    const clock = document.getElementById("clock");
    if (clock && clock.textContent !== time) {
      clock.textContent = time;
      if (worker && worker.controller) worker.controller.postMessage("keep");
    }
    if (silent) say(false);
  }

  function say(now) {
    silent = now;
    document.documentElement.classList.toggle("silent", now);
    const left = kept();
    box.textContent = now
      ? "This device has not heard from the box since " + (heardAt || "a while ago") + ". What stands below is from then."
        + " Keep this page open: it comes back by itself."
        + (others() ? "" : " No other page opens until then; write on the blank numbered forms of the printed day pack.")
      : left;
  }

  // What was written down while the box was away is handed over by the paper's own pages.
  function kept() {
    if (document.getElementById("waiting")) return "";
    try {
      const count = (JSON.parse(localStorage.getItem("paper-waiting")) || []).length;
      return count ? "Something that was written down is on this tablet only. Open Paper to hand it over." : "";
    } catch {
      return "";
    }
  }

  function swap(name, html) {
    const old = document.getElementById("part-" + name);
    if (!old || shown[name] === html) return;
    const first = !(name in shown);
    shown[name] = html;
    const fresh = new DOMParser().parseFromString(html, "text/html").body;
    // The stream begins with what the page already shows: do not announce it again.
    if (first && fresh.textContent === old.textContent) return;
    put(old, fresh);
  }

  // What was open stays open, and the focus stays where it was.
  function put(old, fresh) {
    const at = old.contains(document.activeElement) && document.activeElement.closest("[id]");
    const inside = at && at.tagName === "DETAILS" && document.activeElement.getAttribute("href");
    for (const open of old.querySelectorAll("details[open][id]")) {
      const same = fresh.querySelector("#" + CSS.escape(open.id));
      if (same) same.open = true;
    }
    old.replaceChildren(...fresh.childNodes);
    const same = at && at !== old && document.getElementById(at.id);
    if (!same) return;
    const link = inside && Array.from(same.querySelectorAll("a")).find((one) => one.getAttribute("href") === inside);
    (link || (same.tagName === "DETAILS" && same.querySelector("summary")) || same).focus({ preventScroll: true });
  }

  function show(data, from) {
    const parts = data.parts;
    tag = from || "";  // only what was asked for last can be "still the same"
    for (const name of Object.keys(parts)) swap(name, parts[name]);
    if (parts.title) document.title = parts.title;
    if (parts.mark && mark && parts.mark !== mark) renew();
    mark = parts.mark || mark;
    alive(data.time);
  }

  // The pages of the book depend on their address: the part that shows the day is asked for anew.
  async function renew() {
    const old = document.getElementById("fresh");
    if (!old) return;
    const answer = await fetch(location.href, { cache: "no-store" }).catch(() => null);
    if (!answer || !answer.ok) return;
    const made = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = made.getElementById("fresh");
    const bare = old.cloneNode(true);
    for (const one of bare.querySelectorAll("details[open]")) one.open = false;
    if (fresh && fresh.innerHTML !== bare.innerHTML) put(old, fresh);
  }

  // One file that needs neither the box nor the network: what stands here, with its looks.
  function keep() {
    const copy = document.documentElement.cloneNode(true);
    for (const one of copy.querySelectorAll("script, link, noscript, form, nav, .tools, .skip, .box")) one.remove();
    const looks = document.createElement("style");
    for (const sheet of document.styleSheets) {
      for (const rule of sheet.cssRules) looks.append(rule.cssText + "\n");
    }
    copy.querySelector("head").append(looks);
    copy.classList.remove("silent");
    const said = document.createElement("p");
    said.className = "fact";
    said.textContent = "A copy of what the page showed at " + (heardAt || "a time not known") + ". It does not change by itself.";
    copy.querySelector("main").prepend(said);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["<!DOCTYPE html>" + copy.outerHTML], { type: "text/html" }));
    link.download = "appointments-copy.html";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  // Paper says when it was printed and how old its list is, not when the page was opened.
  function dated() {
    const root = document.documentElement, clock = text("clock");
    if (clock) {
      const when = text("part-today").trim() + " " + clock;
      const said = silent ? "after " + when + ", while the box was not heard" : when;
      for (const one of document.querySelectorAll(".when")) one.textContent = said;
      root.dataset.printed = "Printed " + said + ".";
    }
    const ages = Array.from(document.querySelectorAll("#part-sources .asof"), (one) => one.textContent.trim());
    if (root.dataset.asOf && ages.length) {
      root.dataset.asOf = ages.map((one) => one.slice(0, 1).toUpperCase() + one.slice(1) + ".").join(" ");
    }
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
      const headers = tag ? { "If-None-Match": tag } : {};
      const answer = await fetch("/view.json?page=" + page, { signal: stop.signal, cache: "no-store", headers });
      if (answer.status === 304) return alive(heardAt);
      if (!answer.ok) throw new Error("refused");
      show(await answer.json(), answer.headers.get("ETag"));
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
    if (!silent && box.textContent !== kept()) say(false);
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
  document.addEventListener("click", (event) => {
    if (!silent) return;
    const link = event.target.closest("a[href]");
    if (event.target.closest("#keep")) {
      event.preventDefault();
      keep();
    } else if (!others() && link && link.origin === location.origin && !link.getAttribute("href").startsWith("#")) {
      event.preventDefault(); // an error page would take the place of what stands here
      say(true);
      ask();
    }
  });
  // F5 and Ctrl-R while the box is silent would put an error page in place of the day.
  document.addEventListener("keydown", (event) => {
    const again = event.key === "F5" || ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "r");
    if (!again || !silent || others()) return;
    event.preventDefault();
    say(true);
    ask();
  });
  // A reload while the box is silent would lose the page that still holds the day.
  window.addEventListener("beforeunload", (event) => {
    if (silent && !others()) event.preventDefault();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      listen();
      ask();
    }
  });
  window.addEventListener("pagehide", hush);
  window.addEventListener("beforeprint", dated);

  if (kept()) say(false);
  listen();
  setInterval(look, 1000);
})();
