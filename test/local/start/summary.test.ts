import { describe, expect, it } from 'vitest';
import { describeSummary } from '../../../local/start/summary.ts';

describe('the closing lines of npm start', () => {
  const summary = {
    where: 'the embedded cluster',
    endpoint: 'http://127.0.0.1:30080/mcp',
    tokenFile: '/state/mcp-token',
    kubeconfig: '/state/kubeconfig',
    stopCommand: 'npm run cluster -- down',
    elapsed: '12 s',
  };

  it('name endpoint, token file, the line for Claude Code and how to stop, and never the token', () => {
    expect(describeSummary(summary)).toMatchInlineSnapshot(`
      "Tentacular runs in the embedded cluster (12 s).
        endpoint     http://127.0.0.1:30080/mcp
        token        in /state/mcp-token
        Claude Code  claude mcp add --transport http tentacular http://127.0.0.1:30080/mcp --header "Authorization: Bearer $(cat /state/mcp-token)"
        look         kubectl --kubeconfig /state/kubeconfig get pods -A
        stop         npm run cluster -- down
      "
    `);
  });

  it('say how to keep it reachable only where it is not by itself', () => {
    expect(describeSummary(summary)).not.toContain('keep open');
    expect(describeSummary({ ...summary, keepOpen: 'kubectl port-forward x' })).toMatch(
      /keep open +kubectl port-forward x/,
    );
  });
});
