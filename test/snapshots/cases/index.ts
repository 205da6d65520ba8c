import type { GoldenCase } from './case.ts';
import { codeCases } from './code.ts';
import { dependencyCases } from './dependencies.ts';
import { enclaveCases } from './enclaves.ts';
import { podCases } from './pod.ts';
import { triggerCases } from './triggers.ts';

/** Every golden of rendering: between them they show every branch of it. */
export const goldenCases: readonly GoldenCase[] = [
  ...triggerCases,
  ...dependencyCases,
  ...podCases,
  ...codeCases,
  ...enclaveCases,
];
