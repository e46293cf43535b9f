/**
 * How loud the guest's own mixer is set, as it is shown beside the picture. The agent sets the mixer, and the guest's sound card says what has
 * become of it, on a scale of its own: half of PulseAudio's is two thirds of Intel HDA's. While it is muted the card says 0, and says so a moment
 * before it says that it is muted.
 */
import type { GuestSound } from '../../console/console.ts';

export type GuestLevel = {
  /** 0 to 1. */
  shown: number;
  /** What was chosen here last, and when, in milliseconds of any clock. */
  chosenAt: number;
  /** What the sound card said thereupon: as long as it says that, what was chosen stands. */
  answer: number | null;
  /** What was shown before the card fell silent, and when it did. */
  before: { shown: number; at: number } | null;
};

/** A mixer that is set answers within that time, also in a guest that is busy. */
const answersWithinMs = 3000;
/** A card that is muted says so within that time of saying 0. */
const mutedWithinMs = 1000;

export function firstLevel(sound: GuestSound): GuestLevel {
  return { shown: sound.volume, chosenAt: Number.NEGATIVE_INFINITY, answer: null, before: null };
}

/** Somebody has chosen a volume here. */
export function levelChosen(level: GuestLevel, volume: number, now: number): GuestLevel {
  return { ...level, shown: volume, chosenAt: now, answer: null, before: null };
}

/** The guest's sound card has said how it stands. */
export function levelHeard(level: GuestLevel, sound: GuestSound, now: number): GuestLevel {
  if (sound.muted)
    return level.before && now - level.before.at < mutedWithinMs ? { ...level, shown: level.before.shown, before: null } : level;
  if (now - level.chosenAt < answersWithinMs) return { ...level, answer: sound.volume };
  if (sound.volume === level.answer || sound.volume === level.shown) return level;
  const before = sound.volume === 0 ? { shown: level.shown, at: now } : null;
  return { ...level, shown: sound.volume, answer: null, before };
}
