/** The QMP commands that Guesthouse uses, with the parts of their answers that it reads. Names are QEMU's own. */

/** https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html#qapidoc-25 */
export type RunState =
  | 'debug'
  | 'inmigrate'
  | 'internal-error'
  | 'io-error'
  | 'paused'
  | 'postmigrate'
  | 'prelaunch'
  | 'finish-migrate'
  | 'restore-vm'
  | 'running'
  | 'save-vm'
  | 'shutdown'
  | 'suspended'
  | 'watchdog'
  | 'guest-panicked'
  | 'colo';

export type StatusInfo = { status: RunState; running: boolean };

export type BlockInfo = {
  device: string;
  /** Id of the device, or its QOM path when it has none. */
  qdev?: string;
  'io-status'?: 'ok' | 'failed' | 'nospace';
  tray_open?: boolean;
  inserted?: { 'node-name'?: string; file?: string; ro?: boolean; drv?: string };
};

export type BlockNodeInfo = {
  'node-name'?: string;
  drv: string;
  file: string;
  ro: boolean;
  cache?: { direct: boolean; 'no-flush': boolean };
  image?: { 'virtual-size': number };
};

/** https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html#qapidoc-229 */
export type QemuJob = {
  id: string;
  status: 'undefined' | 'created' | 'running' | 'paused' | 'ready' | 'standby' | 'waiting' | 'pending' | 'aborting' | 'concluded' | 'null';
  'current-progress': number;
  'total-progress': number;
  error?: string;
};

/** `base-node`: what is left below; without it nothing is. The job waits to be finalized, and is forgotten when it has ended. */
export type BlockStream = {
  'job-id': string;
  device: string;
  'base-node'?: string;
  'backing-file'?: string;
  speed: number;
  'auto-finalize': false;
  'auto-dismiss': true;
};

export type BlockStats = { qdev?: string; 'node-name'?: string; stats: { rd_bytes: number; wr_bytes: number } };

export type ChardevInfo = { label: string; filename: string; 'frontend-open': boolean };

export type MigrationInfo = {
  status?:
    | 'none'
    | 'setup'
    | 'cancelling'
    | 'cancelled'
    | 'active'
    | 'completed'
    | 'failed'
    | 'device'
    | 'pre-switchover'
    | 'wait-unplug'
    | 'postcopy-active';
  ram?: { transferred: number; total: number; remaining: number };
  'error-desc'?: string;
};

export type KeyValue = { type: 'qcode'; data: string };
export type InputEvent = { type: 'key'; data: { key: KeyValue; down: boolean } };

/** https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html#qapidoc-2290 */
export type HotpluggableCpu = { type: string; props: Record<string, number>; 'vcpus-count': number; 'qom-path'?: string };

export type VirtualCpu = { 'cpu-index': number; 'thread-id': number };

/** Every rate counts reads and writes alone as well; of those that Guesthouse does not set, 0 is no limit. */
export type IoThrottle = {
  id: string;
  bps: number;
  bps_rd: number;
  bps_wr: number;
  iops: number;
  iops_rd: number;
  iops_wr: number;
  group: string;
};

type None = Record<string, never>;

export type QmpCommands = {
  qmp_capabilities: { arguments: { enable?: string[] }; returns: None };
  'query-status': { arguments: None; returns: StatusInfo };
  'query-block': { arguments: None; returns: BlockInfo[] };
  'query-blockstats': { arguments: None; returns: BlockStats[] };
  'query-named-block-nodes': { arguments: { flat?: boolean }; returns: BlockNodeInfo[] };
  /** All or none: the disks are of one instant. */
  transaction: { arguments: { actions: { type: 'blockdev-snapshot'; data: { node: string; overlay: string } }[] }; returns: None };
  'query-chardev': { arguments: None; returns: ChardevInfo[] };
  'query-version': { arguments: None; returns: { qemu: { major: number; minor: number; micro: number } } };
  'query-kvm': { arguments: None; returns: { enabled: boolean; present: boolean } };
  'query-name': { arguments: None; returns: { name?: string } };
  'qom-get': { arguments: { path: string; property: string }; returns: unknown };
  cont: { arguments: None; returns: None };
  stop: { arguments: None; returns: None };
  system_reset: { arguments: None; returns: None };
  system_powerdown: { arguments: None; returns: None };
  quit: { arguments: None; returns: None };
  screendump: { arguments: { filename: string; format?: 'ppm' | 'png'; device?: string; head?: number }; returns: None };
  'input-send-event': { arguments: { events: InputEvent[]; device?: string }; returns: None };
  'send-key': { arguments: { keys: KeyValue[]; 'hold-time'?: number }; returns: None };
  migrate: { arguments: { uri: string }; returns: None };
  'migrate-incoming': { arguments: { uri: string }; returns: None };
  migrate_cancel: { arguments: None; returns: None };
  'migrate-set-capabilities': { arguments: { capabilities: { capability: string; state: boolean }[] }; returns: None };
  'migrate-set-parameters': { arguments: { 'max-bandwidth'?: number }; returns: None };
  'blockdev-add': { arguments: { driver: string; 'node-name': string }; returns: None };
  'blockdev-del': { arguments: { 'node-name': string }; returns: None };
  'blockdev-reopen': { arguments: { options: { driver: string; 'node-name': string }[] }; returns: None };
  'block-stream': { arguments: BlockStream; returns: None };
  'query-jobs': { arguments: None; returns: QemuJob[] };
  'job-finalize': { arguments: { id: string }; returns: None };
  'job-cancel': { arguments: { id: string }; returns: None };
  'job-dismiss': { arguments: { id: string }; returns: None };
  'blockdev-open-tray': { arguments: { id: string; force?: boolean }; returns: None };
  'blockdev-close-tray': { arguments: { id: string }; returns: None };
  'blockdev-remove-medium': { arguments: { id: string }; returns: None };
  'blockdev-insert-medium': { arguments: { id: string; 'node-name': string }; returns: None };
  block_resize: { arguments: { 'node-name': string; size: number }; returns: None };
  block_set_io_throttle: { arguments: IoThrottle; returns: None };
  device_add: { arguments: { driver: string; id: string }; returns: None };
  device_del: { arguments: { id: string }; returns: None };
  netdev_add: { arguments: { type: string; id: string; [option: string]: unknown }; returns: None };
  netdev_del: { arguments: { id: string }; returns: None };
  set_link: { arguments: { name: string; up: boolean }; returns: None };
  'object-add': { arguments: { 'qom-type': string; id: string; size?: number }; returns: None };
  'object-del': { arguments: { id: string }; returns: None };
  'qom-list': { arguments: { path: string }; returns: { name: string; type: string }[] };
  'query-hotpluggable-cpus': { arguments: None; returns: HotpluggableCpu[] };
  'query-cpus-fast': { arguments: None; returns: VirtualCpu[] };
  'query-memory-size-summary': { arguments: None; returns: { 'base-memory': number; 'plugged-memory'?: number } };
  balloon: { arguments: { value: number }; returns: None };
  'set-action': { arguments: { watchdog: 'reset' | 'shutdown' | 'poweroff' | 'pause' | 'none' }; returns: None };
  'human-monitor-command': { arguments: { 'command-line': string }; returns: string };
  'query-migrate': { arguments: None; returns: MigrationInfo };
};

export type QmpCommandName = keyof QmpCommands;
export type QmpArguments<Name extends QmpCommandName> = QmpCommands[Name]['arguments'];
export type QmpReturns<Name extends QmpCommandName> = QmpCommands[Name]['returns'];
