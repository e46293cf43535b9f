import { Volume1, Volume2, VolumeX } from 'lucide-react';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { Dialog, DialogTrigger, Popover } from 'react-aria-components';
import type { Guest } from '../../../contract/guest-state.ts';
import type { Console, GuestSound } from '../../console/console.ts';
import type { SessionView } from '../../console/session.ts';
import { soundOutput } from '../../console/sound/sound-output.ts';
import { useConsoleMark } from '../../state/console-marks.ts';
import { IconButton } from '../../ui/Button.tsx';
import { Slider } from '../../ui/Slider.tsx';
import { Switch } from '../../ui/toggles.tsx';
import { consoleWords } from '../../words/console.ts';
import { firstLevel, type GuestLevel, levelChosen, levelHeard } from './guest-level.ts';
import { useSound } from './use-sound.ts';

/** How loud this computer plays what the guest plays. */
export function SoundControl({ guest, view }: { guest: Guest; view: SessionView | null }) {
  const [choice, setChoice] = useSound(guest.id, view);
  const [guestVolume, setGuestVolume] = useGuestLevel(view);
  const audio = view?.capabilities?.audio;
  const reason = view?.phase !== 'connected' || !audio ? consoleWords.soundNone : audio.possible ? null : audio.reason;
  const plays = useLingering(view?.sound?.playing ?? false);
  const silent = choice.muted || choice.volume === 0;
  useConsoleMark(guest.id, 'plays', plays && !silent);
  useConsoleMark(guest.id, 'muted', plays && silent);
  const icon = silent ? VolumeX : choice.volume < 0.5 ? Volume1 : Volume2;
  return (
    <DialogTrigger>
      <IconButton icon={icon} label={consoleWords.sound} reason={reason} aria-haspopup="dialog" />
      <Popover className="popover console-sound-popover" placement="bottom end" offset={4} {...(reason === null ? {} : { isOpen: false })}>
        <Dialog className="console-sound" aria-label={consoleWords.sound}>
          <Slider
            label={consoleWords.volume}
            value={choice.volume}
            onChange={(volume) => setChoice({ volume, muted: choice.muted && volume === 0 })}
          />
          <Switch label={consoleWords.mute} value={choice.muted} onChange={(muted) => setChoice({ ...choice, muted })} />
          {view?.sound && view.capabilities?.guestVolume.possible && (
            <GuestVolume volume={guestVolume} onVolume={setGuestVolume} sound={view.sound} console={view.console} />
          )}
          <p className="field-notes" role="status">
            {soundNote(view)}
          </p>
          <Unheard />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

/** Only here: asking for this computer's sound card starts two processes of Chromium's, which would be on the way of a console that opens. */
function Unheard() {
  const unheard = useSyncExternalStore(soundOutput().subscribe, () => soundOutput().unheard);
  return unheard && <p className="field-notes">{consoleWords.soundUnheard}</p>;
}

/** Guests open and close their sound card for every little noise. */
const lingerMs = 1500;

/** Goes on for a little when it ends. */
function useLingering(on: boolean): boolean {
  const [lingers, setLingers] = useState(on);
  useEffect(() => {
    if (on) {
      setLingers(true);
      return;
    }
    const timer = setTimeout(() => setLingers(false), lingerMs);
    return () => clearTimeout(timer);
  }, [on]);
  return lingers;
}

/** Follows what the guest's mixer is set to, and sets it. */
function useGuestLevel(view: SessionView | null): [number, (volume: number) => void] {
  const sound = view?.sound ?? null;
  const live = view?.console ?? null;
  const [level, setLevel] = useState<GuestLevel | null>(null);
  useEffect(() => {
    if (sound) setLevel((before) => (before ? levelHeard(before, sound, performance.now()) : firstLevel(sound)));
  }, [sound]);
  const choose = (volume: number) => {
    setLevel((before) => before && levelChosen(before, volume, performance.now()));
    live?.setGuestVolume({ volume, muted: (sound?.muted ?? false) && volume === 0 });
  };
  return [level?.shown ?? sound?.volume ?? 0, choose];
}

type GuestVolumeProps = { volume: number; onVolume(volume: number): void; sound: GuestSound; console: Console | null };

function GuestVolume({ volume, onVolume, sound, console: live }: GuestVolumeProps) {
  return (
    <>
      <Slider label={consoleWords.guestVolume} value={volume} onChange={onVolume} />
      <Switch label={consoleWords.guestMute} value={sound.muted} onChange={(muted) => live?.setGuestVolume({ volume: null, muted })} />
    </>
  );
}

/** What the guest itself does, which is why it may not be heard. */
function soundNote(view: SessionView | null): string {
  const sound = view?.sound;
  if (!sound) return '';
  if (sound.muted || sound.volume === 0) return consoleWords.guestMuted;
  return sound.playing ? consoleWords.guestPlays(sound.volume) : consoleWords.guestSilent;
}
