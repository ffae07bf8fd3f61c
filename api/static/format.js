// Numbers, times and money as people read them.

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d`;
}

export function age(time) {
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`;
  }
  return seconds < 5 ? "just now" : `${Math.floor(seconds)} s ago`;
}

export function ahead(time) {
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  return seconds < 1 ? "now" : `in ${duration(seconds < 10 ? Math.ceil(seconds) : seconds)}`;
}

export const between = (start, end) => (Date.parse(end) - Date.parse(start)) / 1000;

export const moment = (time) => (time
  ? new Date(time).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" }) : "–");

export const clock = (time) => new Date(time).toLocaleTimeString("en-GB");

// Micro-dollars; less than a cent is told in full.
export function money(micro) {
  const dollars = (micro || 0) / 1e6;
  return `$${dollars > 0 && dollars < 0.01 ? dollars.toFixed(4) : dollars.toFixed(2)}`;
}

export function bytes(size) {
  if (size < 1000) return `${size} B`;
  return size < 1e6 ? `${Math.round(size / 1000)} kB` : `${(size / 1e6).toFixed(1)} MB`;
}

// What a job is called: its product, or what kind of background job it is.
export const titleOf = (job) => job.product_name || (job.kind === "video" ? job.job_id : job.kind);

export const count = (number) => number.toLocaleString("en-GB");

const STAGES = {
  script_gen: "Script", voice_gen: "Voice", video_gen: "Scenes", compositing: "Compositing",
};
export const STAGE_NAMES = Object.keys(STAGES);
// A background job has one stage, which is no news to anybody.
export const stageName = (stage) => (stage === "perform" ? "Running" : STAGES[stage] || stage || "–");
