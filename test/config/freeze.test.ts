import { describe, expect, it } from '@jest/globals';
import { deepFreeze } from '../../config/freeze.ts';
import { Secret } from '../../config/secret.ts';

describe('deepFreeze', () => {
  it('makes maps and lists immutable to their depths', () => {
    const value = deepFreeze({ a: { b: [{ c: 1 }] } });
    expect(() => Object.assign(value.a, { x: 1 })).toThrow(TypeError);
    expect(() => value.a.b.push({ c: 2 })).toThrow(TypeError);
    expect(() => Object.assign(value.a.b[0]!, { c: 2 })).toThrow(TypeError);
  });

  it('leaves instances of classes and plain values alone, and survives circles', () => {
    const bytes = new Uint8Array(2);
    const circle: { self?: unknown; bytes: Uint8Array; secret: Secret } = { bytes, secret: new Secret('x') };
    circle.self = circle;
    deepFreeze(circle);
    bytes[0] = 1;
    expect(bytes[0]).toBe(1);
    expect(circle.secret.reveal()).toBe('x');
    expect(deepFreeze(null)).toBeNull();
  });
});
