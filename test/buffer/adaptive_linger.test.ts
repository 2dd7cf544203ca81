// The linger that learns: strangers make it wait, a sender that waits for its answers never does.

import { describe, expect, it } from '@jest/globals';
import { AdaptiveLinger } from '../../buffer/adaptive_linger.ts';

const COMMIT_ms = 0.35;

describe('the adaptive linger', () => {
  it('is none for one sender that waits for each answer, for ever', () => {
    const linger = new AdaptiveLinger(5);
    for (let commit = 0; commit < 10_000; commit++) {
      linger.observe(0, COMMIT_ms);
      linger.together(1);
      expect(linger.max_ms).toBe(0);
    }
  });

  it('is the limit where somebody comes while the others wait, 100 a second being enough', () => {
    const linger = new AdaptiveLinger(5);
    let came = 0;
    for (let blocked_ms = 0; blocked_ms < 200; blocked_ms += COMMIT_ms) {
      const arrivals = Math.floor(blocked_ms / 10) - came;
      came += arrivals;
      linger.observe(arrivals, COMMIT_ms);
    }
    expect(linger.max_ms).toBe(5);
  });

  it('ends within a twentieth of a second when the strangers stay away', () => {
    const linger = new AdaptiveLinger(5);
    for (let time_ms = 0; time_ms < 500; time_ms += 5) linger.observe(5, 5);
    expect(linger.max_ms).toBe(5);
    let alone_ms = 0;
    for (; linger.max_ms > 0; alone_ms += 5) linger.observe(0, 5);
    expect(alone_ms).toBeLessThanOrEqual(55);
  });

  it('forgets the densest of times as soon as any other', () => {
    const forgotten_ms = [0.05, 0.5, 5].map((apart_ms) => {
      const linger = new AdaptiveLinger(5);
      for (let time_ms = 0; time_ms < 500; time_ms += apart_ms) linger.observe(1, apart_ms);
      let alone_ms = 0;
      for (; linger.max_ms > 0; alone_ms += 1) linger.observe(0, 1);
      return alone_ms;
    });
    expect(Math.max(...forgotten_ms)).toBeLessThanOrEqual(55);
    expect(new Set(forgotten_ms).size).toBe(1);
  });

  it('expects as many as lately came together, two at least and sixty-four at most', () => {
    const linger = new AdaptiveLinger(5);
    expect(linger.enough_appends).toBe(2);
    linger.together(10);
    expect(linger.enough_appends).toBe(10);
    linger.together(9);
    expect(linger.enough_appends).toBe(9);
    linger.together(500);
    expect(linger.enough_appends).toBe(64);
    for (let commit = 0; commit < 60; commit++) linger.together(1);
    expect(linger.enough_appends).toBe(2);
  });

  it('has a crowd wait for the late no longer than about a commit more, by how long commits lately took', () => {
    const linger = new AdaptiveLinger(5);
    expect(linger.crowd_ms).toBe(0);
    for (let commit = 0; commit < 100; commit++) linger.took(3);
    expect(linger.crowd_ms).toBeCloseTo(6);
    for (let commit = 0; commit < 100; commit++) linger.took(0.4);
    expect(linger.crowd_ms).toBeCloseTo(0.8);
  });

  it('learns nothing from a window without time', () => {
    const linger = new AdaptiveLinger(5);
    linger.observe(1000, 0);
    expect(linger.max_ms).toBe(0);
  });
});
