import { expect, it } from 'vitest';
import { createMetrics } from '../../../server/telemetry/metrics.ts';

it('calls, refusals, API requests and the process are counted; two apps do not share a registry', async () => {
  const metrics = createMetrics();
  metrics.callStarted();
  metrics.call('wf_list', 'ok', 0.02);
  metrics.call('wf_list', 'not_found', 0.02);
  metrics.refused('unauthenticated');
  metrics.apiRequest('get', 'deployments.apps', 200, 0.01);
  metrics.draining(true);
  const text = await metrics.registry.metrics();
  for (const line of [
    'tentacular_tool_calls_total{tool="wf_list",outcome="ok"} 1',
    'tentacular_tool_calls_total{tool="wf_list",outcome="not_found"} 1',
    'tentacular_tool_call_duration_seconds_count{tool="wf_list"} 2',
    'tentacular_tool_calls_in_flight 1',
    'tentacular_requests_refused_total{reason="unauthenticated"} 1',
    'tentacular_api_requests_total{verb="get",resource="deployments.apps",status="200"} 1',
    'tentacular_draining 1',
  ]) {
    expect(text).toContain(line);
  }
  expect(text).toContain('process_resident_memory_bytes');
  expect(await createMetrics().registry.metrics()).not.toContain('tool="wf_list"');
});
