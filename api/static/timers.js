// Timers of a page, which end with it. A page may be left while it is still being made; what it
// starts after that never begins.

// Do `work` every `ms` until `signal` aborts; a failure waits for the next time.
export function every(ms, work, signal) {
  if (signal.aborted) return;
  const timer = setInterval(() => Promise.resolve(work()).catch(() => null), ms);
  signal.addEventListener("abort", () => clearInterval(timer));
}

// A function that does `work` once, `ms` after it was last called.
export function settled(ms, work, signal) {
  let timer = 0;
  signal.addEventListener("abort", () => clearTimeout(timer));
  return () => {
    clearTimeout(timer);
    if (!signal.aborted) timer = setTimeout(() => Promise.resolve(work()).catch(() => null), ms);
  };
}
