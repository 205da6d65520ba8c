import type { SecretFiles } from '../context/secrets.ts';

/** What a folder of secrets is read with. */
export interface FolderReader {
  readTextFileSync(path: string): string;
  readDirSync(path: string): Iterable<{ readonly name: string; readonly isDirectory: boolean }>;
}

/** Names that Kubernetes gives to the folders behind a mounted Secret begin with two dots. */
const serviceName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;

/** The files of a mounted Secret; a folder or file that is missing is no error, any other failure is. */
export function secretFolder(folder: string, reader: FolderReader): SecretFiles {
  return {
    list: () => {
      const entries = orMissing(() => [...reader.readDirSync(folder)]) ?? [];
      return entries.filter(({ name, isDirectory }) => !isDirectory && serviceName.test(name)).map(({ name }) => name);
    },
    read: (service) =>
      serviceName.test(service) ? orMissing(() => reader.readTextFileSync(`${folder}/${service}`)) : undefined,
  };
}

function orMissing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && (error.name === 'NotFound' || Reflect.get(error, 'code') === 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}
