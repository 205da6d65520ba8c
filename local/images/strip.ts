import { TentacularError } from '../../constructs/model/errors.ts';

/** Offsets in a 64-bit little-endian ELF header (System V gABI, "ELF Header"). */
const elf = { class: 4, data: 5, programOffset: 32, sectionOffset: 40, programSize: 54, programCount: 56 };
const sectionFields = { size: 58, count: 60, names: 62 };

/**
 * A 64-bit ELF binary without what the loader never maps: symbol table, debug information, section headers.
 * Takes 18 MB off Node. Works without binutils, so that images come out the same on every machine.
 * @throws TentacularError `invalid_input` where `binary` is no such file.
 */
export function stripElf(binary: Buffer): Buffer {
  if (binary.readUInt32BE(0) !== 0x7f454c46 || binary[elf.class] !== 2 || binary[elf.data] !== 1) {
    throw new TentacularError('invalid_input', 'Image: the binary is not a 64-bit little-endian ELF file', {
      hint: 'Images hold Linux binaries for amd64 or arm64; run this on Linux.',
    });
  }
  const start = Number(binary.readBigUInt64LE(elf.programOffset));
  const size = binary.readUInt16LE(elf.programSize);
  const count = binary.readUInt16LE(elf.programCount);
  let end = start + size * count;
  for (let index = 0; index < count; index += 1) {
    const header = start + index * size;
    const offset = Number(binary.readBigUInt64LE(header + 8));
    const fileSize = Number(binary.readBigUInt64LE(header + 32));
    end = Math.max(end, offset + fileSize);
  }
  const stripped = Buffer.from(binary.subarray(0, end));
  stripped.writeBigUInt64LE(0n, elf.sectionOffset);
  for (const field of [sectionFields.size, sectionFields.count, sectionFields.names]) stripped.writeUInt16LE(0, field);
  return stripped;
}
