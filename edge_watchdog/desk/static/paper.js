// The paper journal's pages: the list follows what other tablets write; what is typed stays on this
// tablet while the box is away, and is sent when it is back, once, by the form's own key.
(function () {
  "use strict";
  const DRAFT = "paper-draft", QUEUE = "paper-waiting", ANSWER_MS = 8000, TRY_MS = 5000;
  const KEEP_MS = 24 * 3600 * 1000;
  const list = document.getElementById("list");
  const kept = document.querySelector("[data-kept]");
  const turn = document.getElementById("part-turn");
  let waiting = document.getElementById("waiting"), sending = false;

  // What is being typed belongs to one tab; what was kept belongs to the tablet.
  function shelf(name) {
    return name === DRAFT ? sessionStorage : localStorage;
  }
  function load(name) {
    try { return JSON.parse(shelf(name).getItem(name)) || null; } catch { return null; }
  }
  function save(name, value) {
    try {
      if (value === null) shelf(name).removeItem(name);
      else shelf(name).setItem(name, JSON.stringify(value));
      return true;
    } catch { return false; }
  }
  // What was kept stays until the box has it or somebody drops it, however long the box is away.
  function queue() {
    return load(QUEUE) || [];
  }
  // A form that the browser kept has no token, nor has an empty journal: then it is asked for.
  async function token() {
    const place = document.querySelector("input[name=csrf]");
    if (place && place.value) return place.value;
    const answer = await ask("/paper/new?kind=task", {});
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.querySelector("input[name=csrf]");
    if (found && place) place.value = found.value;
    return found ? found.value : "";
  }
  function newKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  }
  function say(text) {
    if (!waiting) return;
    waiting.hidden = !text;
    if (waiting.textContent !== text) waiting.textContent = text;
  }
  function tell(extra) {
    const all = queue(), refused = all.filter((one) => one.refused), count = all.length - refused.length;
    const words = [];
    if (count === 1) words.push("1 entry is kept on this tablet only. It is sent as soon as the box answers.");
    if (count > 1) words.push(count + " entries are kept on this tablet only. They are sent as soon as the box answers.");
    if (refused.length) words.push("Could not be kept as it stands: " + named(refused[0].body) + ".");
    if (extra) words.push(extra);
    say(words.join(" "));
    if (!waiting || !refused.length) return;
    choose("Look at it", () => look(refused[0]));
    choose("Drop it", () => { drop(refused[0].body.form); tell(); });
  }
  function named(body) {
    const what = body.client || body.text || body.item0 || "", at = body.time ? "at " + body.time : "";
    return [body.kind, what.slice(0, 40), at].filter(Boolean).join(" ");
  }
  function choose(words, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = words;
    button.addEventListener("click", act);
    waiting.append(" ", button);
  }
  function drop(form) {
    const left = queue().filter((one) => one.body.form !== form);
    save(QUEUE, left.length ? left : null);
  }
  // Shows the form of an entry that was refused, as the box gives it back.
  async function look(one) {
    try {
      const answer = await hand_over(one);
      if (answer.redirected) {
        drop(one.body.form);
        location.assign(answer.url);
      } else if (!show(await answer.text())) {
        tell("Please sign in again first.");
      }
    } catch {
      tell("The box does not answer just now.");
    }
  }

  async function ask(path, how) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), ANSWER_MS);
    try {
      return await fetch(path, { ...how, signal: stop.signal, cache: "no-store" });
    } finally {
      clearTimeout(timer);
    }
  }
  function post(body) {
    return ask("/paper/new", { method: "POST", body: new URLSearchParams(body) });
  }

  // What waited says for how long: the journal tells when it was written.
  async function hand_over(one) {
    const waited = Math.max(0, Math.round((Date.now() - one.at) / 1000)) || 0;
    return post({ ...one.body, waited, csrf: (await token()) || one.body.csrf });
  }

  async function flush() {
    const ready = queue().filter((one) => !one.refused);
    if (sending || !ready.length) return;
    sending = true;
    try {
      for (const one of ready) {
        const answer = await hand_over(one);
        if (answer.status === 401 || answer.status === 403) {
          tell("Please sign in again first.");
          return;
        }
        if (answer.status >= 500) return;
        if (answer.redirected) drop(one.body.form);
        else save(QUEUE, queue().map((other) => other.body.form === one.body.form ? { ...other, refused: true } : other));
      }
      tell(queue().length ? "" : "What was kept on this tablet is in the journal now.");
      refresh();
    } catch {
      tell();
    } finally {
      sending = false;
    }
  }

  async function refresh() {
    if (!list) return;
    try {
      const answer = await fetch("/paper/list", { cache: "no-store" });
      if (!answer.ok) return;
      const open = Array.from(list.querySelectorAll("details[open][id]"), (one) => one.id);
      if (open.length && list.contains(document.activeElement)) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
      for (const id of open) {
        const same = fresh.querySelector("#" + id);
        if (same) same.open = true;
      }
      list.replaceChildren(...fresh.childNodes);
    } catch { /* page.js says that the box is not heard */ }
  }

  function show(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const main = fresh.getElementById("main");
    if (!main) return false;
    document.getElementById("main").replaceChildren(...main.childNodes);
    waiting = document.getElementById("waiting");
    begin();
    tell();
    const wrong = document.querySelector("[aria-invalid], .wrong input, #wrong");
    if (wrong && wrong.focus) wrong.focus();
    window.scrollTo(0, 0);
    return true;
  }

  function values(form, button) {
    const data = Object.fromEntries(new FormData(form));
    if (button && button.name) data[button.name] = button.value;
    return data;
  }

  async function submitted(event) {
    const form = event.target, button = event.submitter;
    event.preventDefault();
    const body = values(form, button);
    const keep = body.do === "keep" && !body.pick;
    try {
      const answer = await post({ ...body, csrf: (await token()) || body.csrf });
      if (answer.redirected && answer.ok) {
        save(DRAFT, null);
        drop(body.form);
        location.assign(answer.url);
      } else if (answer.status === 401 || answer.status === 403) {
        say("Please sign in again first; what you typed stays here.");
        choose("Sign in", () => location.assign("/sign-in?next=" + encodeURIComponent(here())));
      } else {
        const page = await answer.text();
        if (!show(page)) say(heading(page) + " What you typed is still here.");
      }
    } catch {
      if (!keep) {
        say("The box does not answer, so free times cannot be shown. You can still keep this here.");
        return;
      }
      const others = queue().filter((one) => one.body.form !== body.form);
      const kept = save(QUEUE, [...others, { body, at: Date.now() }]);
      if (!kept) {
        say("The box does not answer and this tablet keeps nothing. Write it on paper.");
        return;
      }
      save(DRAFT, null);
      clear(form);
      tell();
    }
  }

  // Nothing of what was kept may stay in the form: kept once more, it would be a second entry.
  function clear(form) {
    for (const one of document.querySelectorAll(".begins, .verdict, #wrong")) one.remove();
    form.hidden = Boolean(form.elements.parent.value || form.querySelector(".chosen"));
    for (const one of form.elements) {
      if (one.type === "radio") one.checked = one.defaultChecked;
      else if (one.type !== "hidden" && one.type !== "date" && one.tagName !== "BUTTON") one.value = "";
    }
    for (const name of ["parent", "replaces"]) form.elements[name].value = "";
    form.elements.form.value = newKey();
    total(form);
  }

  function total(form) {
    const place = document.getElementById("total");
    if (!place) return;
    let sum = 0;
    for (let n = 0; form.elements["item" + n]; n++) {
      const each = number(form.elements["unit" + n].value || listed(form.elements["item" + n].value));
      sum += each * (parseInt(form.elements["quantity" + n].value || "1", 10) || 0);
    }
    sum -= number(form.elements.discount ? form.elements.discount.value : "");
    place.textContent = sum > 0 ? "Total " + sum.toFixed(2) : "";
  }
  function number(text) {
    return parseFloat(String(text || "").replace(",", ".").replace(/[^\d.]/g, "")) || 0;
  }
  function listed(name) {
    const same = Array.from(document.querySelectorAll("#services option"))
      .find((one) => one.value.toLowerCase() === name.trim().toLowerCase());
    return same ? same.dataset.price : "";
  }

  function here() {
    return location.pathname + location.search;
  }
  function heading(page) {
    const found = new DOMParser().parseFromString(page, "text/html").querySelector("h1");
    return found ? found.textContent : "The box could not keep it.";
  }

  // What was drawn for everybody, a while ago, becomes one form of today.
  function fit(form) {
    const now = new Date(), two = (n) => String(n).padStart(2, "0");
    const today = now.getFullYear() + "-" + two(now.getMonth() + 1) + "-" + two(now.getDate());
    for (const name of ["date", "due"]) {
      const field = form.elements[name];
      if (field && field.value < today) field.value = today;
    }
    const key = new URLSearchParams(location.search).get("key");
    if (key && form.elements.key) form.elements.key.value = key;
    form.elements.form.value = newKey();
  }

  function begin() {
    const form = document.querySelector(".paper-form");
    if (!form) return;
    if (kept) fit(form);
    const draft = load(DRAFT);
    const asked = document.getElementById("wrong") || document.querySelector(".verdict");
    if (draft && draft.here === here() && !asked && Date.now() - draft.at < KEEP_MS) {
      for (const [name, value] of Object.entries(draft.values)) {
        const field = form.elements[name];
        if (field && name !== "csrf" && name !== "do") field.value = value;
      }
    }
    form.addEventListener("submit", submitted);
    form.addEventListener("input", () => {
      save(DRAFT, { here: here(), at: Date.now(), values: values(form) });
      total(form);
    });
    total(form);
  }

  async function copy(button) {
    const place = button.parentElement.querySelector(".value");
    let done = false;
    if (navigator.clipboard) {
      done = await navigator.clipboard.writeText(place.textContent).then(() => true, () => false);
    }
    if (!done) { // a page over plain HTTP has no clipboard of its own
      getSelection().selectAllChildren(place);
      done = document.execCommand("copy");
    }
    button.firstChild.textContent = done ? "Copied" : "Marked";
  }
  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }

  // The buttons alone hold nothing that was typed: the journal takes their place.
  if (kept && !document.querySelector(".paper-form")) {
    const root = document.documentElement;
    let away = false;
    new MutationObserver(() => {
      if (away && !root.classList.contains("silent")) location.reload();
      away = root.classList.contains("silent");
    }).observe(root, { attributeFilter: ["class"] });
  }
  begin();
  tell();
  flush();
  setInterval(flush, TRY_MS);
  addEventListener("storage", (event) => { if (event.key === QUEUE) tell(); }); // another tab handed it over
  if (turn && list) new MutationObserver(refresh).observe(turn, { childList: true, characterData: true, subtree: true });
})();
