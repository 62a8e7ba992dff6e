/**
 * A number in [0, 1) that depends on nothing but its arguments, so that a history keeps the values of the minutes
 * that are left when fast-check takes others away. (32-bit murmur finalizer over each argument, twice for 53 bits.)
 */
export function noise(...keys: number[]): number {
  const high = hash(0x9e3779b9, keys) >>> 5;
  const low = hash(0x85ebca6b, keys) >>> 6;
  return (high * 2 ** 26 + low) / 2 ** 53;
}

function hash(start: number, keys: number[]): number {
  return keys.reduce((state, key) => mix(mix(state ^ (key >>> 0)) ^ Math.floor(key / 2 ** 32)), start);
}

function mix(value: number): number {
  let state = value;
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return state ^ (state >>> 16);
}
