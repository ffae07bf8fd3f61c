// One event stream at a time: a browser holds few connections to a server, for all its tabs.

let source = null;
let shown = () => {};

// Called with "live", "waiting" or "off" when that changes.
export function whenChanged(callback) {
  shown = callback;
}

// Follow `path` until `signal` aborts, or another stream takes its place; `onEvent` gets each
// message, `onEnd` the state that a job's stream ends with.
export function follow(path, signal, onEvent, onEnd = () => {}) {
  // A page that was left while it was being made must not end the stream of its successor.
  if (signal.aborted) return;
  stop();
  const mine = new EventSource(path);
  source = mine;
  shown("waiting");
  mine.addEventListener("open", () => shown("live"));
  mine.addEventListener("error", () => shown("waiting"));
  // An event's id begins with its time, in ms.
  mine.addEventListener("progress", (event) =>
    onEvent({ ...JSON.parse(event.data), at: parseInt(event.lastEventId, 10) }));
  mine.addEventListener("end", (event) => {
    // Left open, the browser would ask for the ended stream again and again.
    mine.close();
    shown("off");
    onEnd(event.data);
  });
}

export function stop() {
  source?.close();
  source = null;
  shown("off");
}
