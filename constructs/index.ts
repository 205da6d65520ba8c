export { Enclave, type EnclaveProps } from './enclave/enclave.ts';
export type { RendererOptions } from './model/options.ts';
export { renderEnclave, renderTentacle } from './render.ts';
export type { EnclaveSource, RenderedEnclave, RenderedTentacle, TentacleSource } from './source.ts';
export { Tentacle, type TentacleProps } from './tentacle/tentacle.ts';
