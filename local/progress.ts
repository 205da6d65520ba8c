import type { Writable } from 'node:stream';

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 120;
/** In a log file a long step shows a sign of life this often. */
const LOG_INTERVAL_MS = 15_000;

/** Says how far a step is, in a few words: `package 412 of at most 1150`. */
export type Report = (detail: string) => void;

/** What is going on, for how long, and how far it is; for people, on standard error. */
export interface Progress {
  /** Shows a step while `work` runs, then how long it took; a step that fails is shown as failed. */
  step<T>(label: string, work: (report: Report) => Promise<T>): Promise<T>;
  /** One line that stays. */
  note(text: string): void;
}

/** Shows nothing. */
export const silentProgress: Progress = { step: async (_label, work) => work(() => undefined), note: () => undefined };

interface ProgressStream extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

interface ActiveStep {
  readonly label: string;
  readonly startedMs: number;
  detail: string;
  lastShownMs: number;
}

/** One live line on a terminal; plain lines, and a sign of life every 15 s, in a log. */
export function streamProgress(stream: ProgressStream = process.stderr, now: () => number = Date.now): Progress {
  const active = new Set<ActiveStep>();
  const live = stream.isTTY === true;
  let timer: NodeJS.Timeout | undefined;
  let frame = 0;

  const clear = () => {
    if (live) stream.write('\r\u001b[K');
  };
  const draw = () => {
    if (!live || active.size === 0) return;
    const text = [...active].map((step) => describe(step, now())).join(' · ');
    const width = Math.max(20, (stream.columns || 80) - 3);
    stream.write(`\r\u001b[K${SPINNER[frame++ % SPINNER.length]} ${text.slice(0, width)}`);
  };
  const line = (text: string) => {
    clear();
    stream.write(`${text}\n`);
    draw();
  };
  const tick = () => {
    if (live) return draw();
    for (const step of active) {
      if (now() - step.lastShownMs < LOG_INTERVAL_MS) continue;
      step.lastShownMs = now();
      line(`… ${describe(step, now())}`);
    }
  };

  return {
    note: line,
    async step(label, work) {
      const step: ActiveStep = { label, startedMs: now(), detail: '', lastShownMs: now() };
      active.add(step);
      // Not unref'ed: it ends with the last step, and a step may have nothing else that keeps the process alive.
      timer ??= setInterval(tick, FRAME_MS);
      draw();
      const end = (mark: string) => {
        active.delete(step);
        if (active.size === 0) {
          clearInterval(timer);
          timer = undefined;
        }
        line(`${mark} ${label} (${duration(now() - step.startedMs)})`);
      };
      try {
        const result = await work((detail) => {
          step.detail = detail;
        });
        end('✓');
        return result;
      } catch (error) {
        end('✗');
        throw error;
      }
    },
  };
}

function describe(step: ActiveStep, nowMs: number): string {
  const detail = step.detail === '' ? '' : `: ${step.detail}`;
  return `${step.label}${detail} (${duration(nowMs - step.startedMs)})`;
}

/** `0.4 s`, `38 s`, `6 min 05 s`. */
export function duration(elapsedMs: number): string {
  const seconds = elapsedMs / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}
