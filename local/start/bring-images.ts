import type { ImageName } from '../images/definitions.ts';
import { ensureImages } from '../images/ensure.ts';
import type { Progress } from '../progress.ts';
import type { StartTarget } from './target.ts';

/** Full names of the images, which are in the cluster afterwards or can be pulled by it. */
export async function bringImages(
  target: StartTarget,
  cacheDir: string,
  progress: Progress,
): Promise<Readonly<Record<ImageName, string>>> {
  if (target.givenImages !== undefined) return target.givenImages;
  const images = await progress.step('images', (report) =>
    ensureImages(cacheDir, { onBuild: (name) => report(`making ${name}`) }),
  );
  await progress.step('images into the cluster', () => target.bringIn(images));
  return { server: images.server.ref, engine: images.engine.ref, echo: images.echo.ref };
}
