/** Nine characters, `rwxr-x---`: owner, group (the enclave's members), others. */
export type Mode = string;

export const modePresets = {
  private: 'rwx------',
  'group-read': 'rwxr-x---',
  'member-run': 'rwx--x---',
  'member-edit': 'rwxrwx---',
  'open-read': 'rwxrwxr--',
  'open-run': 'rwxrwxr-x',
} as const satisfies Record<string, Mode>;

export type ModePreset = keyof typeof modePresets;

const aliases: Readonly<Record<string, ModePreset>> = { 'member-read': 'group-read' };

/** Mode of a new tentacle where neither input nor enclave says one. */
export const defaultTentacleMode: Mode = modePresets['group-read'];
/** Mode of a new enclave. */
export const defaultEnclaveMode: Mode = modePresets['member-edit'];

/** What a mode may be, in words for error messages. */
export const modeRule = `nine characters like rwxr-x---, or a preset: ${Object.keys(modePresets).join(', ')}, member-read`;

const modePattern = /^([r-][w-][x-]){3}$/;

/** The mode that `text` names (a mode or a preset), or undefined if it is neither. */
export function parseMode(text: string): Mode | undefined {
  if (modePattern.test(text)) return text;
  const preset = aliases[text] ?? text;
  return Object.hasOwn(modePresets, preset) ? modePresets[preset as ModePreset] : undefined;
}

/** The preset that stands for a mode, or undefined where none does. */
export function presetOf(mode: Mode): ModePreset | undefined {
  const names = Object.keys(modePresets) as ModePreset[];
  return names.find((name) => modePresets[name] === mode);
}
