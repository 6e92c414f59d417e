// Keeps the low-detail book readable while the box is off; works over the secure address only.
// What is kept was asked for without a cookie: nothing private can be in it.
"use strict";
const NAME = "book-" + {{ version|tojson }};
const PAGES = {{ pages|tojson }}, FILES = {{ files|tojson }};
const FRESH_MS = 60000, ANSWER_MS = 4000;
let kept = 0;

async function keep() {
  if (Date.now() - kept < FRESH_MS) return;
  kept = Date.now();
  const cache = await caches.open(NAME);
  await Promise.all([...FILES, ...PAGES].map(async (path) => {
    if (path.startsWith("/static/") && (await cache.match(path))) return;
    const answer = await fetch(path, { credentials: "omit", cache: "no-store" }).catch(() => null);
    if (answer && answer.ok && !answer.redirected) await cache.put(path, answer);
  }));
}

async function wipe() {
  kept = 0;
  for (const name of await caches.keys()) await caches.delete(name);
}

async function visit(event, url) {
  const late = new Promise((_, give_up) => setTimeout(give_up, ANSWER_MS));
  try {
    const answer = await Promise.race([fetch(event.request), late]);
    event.waitUntil(keep());
    return answer;
  } catch {
    const cache = await caches.open(NAME);
    for (const path of [blank(url), url.pathname, "/book"]) {
      const found = path && (await cache.match(path));
      if (found) return found;
    }
    return Response.error();
  }
}

// The form that stands for a page of the paper journal.  One that corrects or belongs to another
// entry needs that entry, and so the box.
function blank(url) {
  if (url.pathname !== "/paper" && url.pathname !== "/paper/new") return "";
  const asked = url.searchParams, kind = asked.get("kind");
  if (!kind || asked.has("correct") || asked.has("parent")) return "/paper/blank";
  return "/paper/blank?kind=" + encodeURIComponent(kind);
}

async function file(request) {
  const cache = await caches.open(NAME);
  return (await cache.match(request)) || fetch(request);
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(keep());
});
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name !== NAME) await caches.delete(name);
  await self.clients.claim();
})()));
self.addEventListener("message", (event) => event.waitUntil(event.data === "wipe" ? wipe() : keep()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== self.location.origin) return;
  if (event.request.method === "POST" && url.pathname === "/sign-out") event.waitUntil(wipe());
  if (event.request.method !== "GET") return;
  if (event.request.mode === "navigate") event.respondWith(visit(event, url));
  else if (url.pathname.startsWith("/static/")) event.respondWith(file(event.request));
});
