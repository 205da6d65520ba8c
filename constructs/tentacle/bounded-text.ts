/** How often a parser may read each character, on average. TypeScript of people is read one to four times. */
const readsPerCharacter = 6;
/** On top of that, so that short text is never refused. */
const freeReads = 50_000;

/**
 * Text that counts how often it is read and then refuses: TypeScript is ambiguous, and a parser that tries one meaning
 * after the other needs exponential time for text made to that end (`<T>(<T>(<T>(...`). The count depends on the text
 * alone, so what is refused is refused everywhere; a deadline would depend on the machine.
 */
export class BoundedText extends String {
  readonly #text: string;
  #left: number;

  constructor(text: string) {
    super(text);
    this.#text = text;
    this.#left = text.length * readsPerCharacter + freeReads;
  }

  /** @throws RangeError once the text was read too often */
  override charCodeAt(index: number): number {
    this.#spend(1);
    return this.#text.charCodeAt(index);
  }

  /** How parsers skip comments. @throws RangeError once the text was read too often */
  override indexOf(search: string, from = 0): number {
    const at = this.#text.indexOf(search, from);
    this.#spend((at < 0 ? this.#text.length : at) - from);
    return at;
  }

  #spend(reads: number): void {
    this.#left -= reads;
    if (this.#left < 0) throw new RangeError('the text was read too often');
  }
}
