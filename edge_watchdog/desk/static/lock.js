// What is private does not stay on the screen when everybody has gone: after five minutes without a
// touch it is wiped and the page asked for anew; the box then wants a PIN first.  The page that Back
// brings up again from the browser's memory is asked for anew too.
(function () {
  "use strict";
  const IDLE_MS = 300000;
  let touched = Date.now();

  function lock() {
    document.querySelector("main").replaceChildren();
    location.reload();
  }

  for (const name of ["pointerdown", "keydown", "wheel", "touchmove"]) {
    addEventListener(name, () => { touched = Date.now(); }, { passive: true });
  }
  addEventListener("pageshow", (event) => { if (event.persisted) lock(); });
  addEventListener("visibilitychange", () => { if (Date.now() - touched > IDLE_MS) lock(); });
  setInterval(() => {
    if (Date.now() - touched > IDLE_MS) {
      touched = Date.now();
      lock();
    }
  }, 5000);
})();
