/** What a person needs to go on after a start. */
export interface Summary {
  readonly where: string;
  /** URL with /mcp. */
  readonly endpoint: string;
  readonly tokenFile: string;
  readonly kubeconfig: string;
  readonly keepOpen?: string | undefined;
  readonly stopCommand: string;
  readonly elapsed: string;
}

/** The closing lines: endpoint, token, the line that adds it to Claude Code, how to look and how to stop. */
export function describeSummary(summary: Summary): string {
  const { endpoint, tokenFile } = summary;
  const rows: [string, string][] = [
    ['endpoint', endpoint],
    ['token', `in ${tokenFile}`],
    [
      'Claude Code',
      `claude mcp add --transport http tentacular ${endpoint} --header "Authorization: Bearer $(cat ${tokenFile})"`,
    ],
    ['look', `kubectl --kubeconfig ${summary.kubeconfig} get pods -A`],
    ...(summary.keepOpen === undefined ? [] : ([['keep open', summary.keepOpen]] as [string, string][])),
    ['stop', summary.stopCommand],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  return [`Tentacular runs in ${summary.where} (${summary.elapsed}).`, ...lines, ''].join('\n');
}
