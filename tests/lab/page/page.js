// The control page of the demo: switches for faults, the log, the routes. No framework, no build.

const facts = JSON.parse(document.getElementById("facts").textContent);
const desk = `${location.protocol}//${location.hostname}:${facts.deskPort}`;
const log = document.getElementById("log");
const trouble = document.getElementById("trouble");
const buttons = new Map();
let lastTop = 0;
let follows = true; // the newest line stays in sight until somebody scrolls back

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

async function toggle(name) {
  const button = buttons.get(name);
  const wanted = button.ariaPressed === "true" ? "heal" : "inject";
  button.disabled = true;
  try {
    const answer = await fetch(`/faults/${name}/${wanted}`, { method: "POST" });
    trouble.hidden = answer.ok;
    trouble.textContent = answer.ok ? "" : await answer.text();
  } catch {
    trouble.hidden = false;
    trouble.textContent = "The demo does not answer any more.";
  }
  button.disabled = false;
}

function switches() {
  const groups = new Map();
  for (const { name, says, group } of facts.faults) {
    const button = element("button", {
      textContent: name.replaceAll("_", " "),
      title: says,
      ariaPressed: "false",
      onclick: () => toggle(name),
    });
    buttons.set(name, button);
    groups.set(group, [...(groups.get(group) ?? []), button]);
  }
  for (const [group, members] of groups) {
    document.getElementById("faults").append(
      element("h2", { textContent: group }),
      element("div", {}, ...members),
    );
  }
}

function uplinkRow(uplink) {
  const words = [uplink.role, uplink.health, uplink.cause].filter(Boolean);
  return element(
    "div",
    { className: `uplink ${uplink.health}` },
    element("i", {}),
    element("b", { textContent: uplink.name }),
    element("span", { textContent: words.shift() }),
    element("span", { textContent: words.join(": ") }),
  );
}

function showState(state) {
  for (const [name, button] of buttons) {
    button.ariaPressed = String(state.present.some((p) => p.split(":")[0] === name));
  }
  document.getElementById("routes").textContent = state.routes;
  const rows = (state.mind.uplinks ?? []).map(uplinkRow);
  const word = state.mind.trouble ?? "";
  document
    .getElementById("lines")
    .replaceChildren(...rows, ...(word ? [element("span", { textContent: word })] : []));
}

function follow() {
  if (follows) log.scrollTop = log.scrollHeight;
}

function showLine({ at, who, text }) {
  log.append(
    element(
      "li",
      { className: who },
      element("time", { textContent: at }),
      who === "you" ? `you: ${text}` : text,
    ),
  );
  while (log.children.length > 400) log.firstChild.remove();
  follow();
}

log.onscroll = () => {
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  // Lines that come while this event is on its way are no sign that somebody scrolled back.
  if (isAtEnd || log.scrollTop < lastTop) follows = isAtEnd;
  lastTop = log.scrollTop;
};
new ResizeObserver(follow).observe(log);
switches();
for (const link of document.querySelectorAll("[data-path]")) link.href = desk + link.dataset.path;
document.querySelector("iframe").src = `${desk}/`;
const events = new EventSource("/events");
events.addEventListener("open", () => log.replaceChildren());
events.addEventListener("line", (event) => showLine(JSON.parse(event.data)));
events.addEventListener("state", (event) => showState(JSON.parse(event.data)));
