/**
 * Windows' answer file, https://learn.microsoft.com/en-us/windows-hardware/customize/desktop/unattend/. Setup takes `autounattend.xml` by
 * itself from the root of any disc. It names neither edition nor product key: a medium with several editions asks which.
 */
import { xmlElement } from './escaping.ts';
import { windowsKeyboardOf, windowsZoneOf } from './regional-names.ts';
import type { SeedContent, SeedRequest } from './seed-content.ts';

const identity = 'processorArchitecture="amd64" publicKeyToken="31bf3856ad364e35" language="neutral" versionScope="nonSxS"';

export function buildAutounattend(request: SeedRequest): SeedContent {
  const text = [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<unattend xmlns="urn:schemas-microsoft-com:unattend" xmlns:wcm="http://schemas.microsoft.com/WMIConfig/2002/State">',
    settings('windowsPE', [
      component('Microsoft-Windows-International-Core-WinPE', [
        `<SetupUILanguage>${xmlElement('UILanguage', language(request))}</SetupUILanguage>`,
        ...international(request),
      ]),
      component('Microsoft-Windows-PnpCustomizationsWinPE', driverPaths(request)),
      component('Microsoft-Windows-Setup', setup(request)),
    ]),
    settings('specialize', [component('Microsoft-Windows-Shell-Setup', specialize(request))]),
    settings('oobeSystem', [
      component('Microsoft-Windows-International-Core', international(request)),
      component('Microsoft-Windows-Shell-Setup', firstSteps(request)),
    ]),
    '</unattend>',
  ].join('\n');
  return { volumeId: 'AUTOUNATTEND', files: [{ path: 'autounattend.xml', content: `${text}\n` }], start: null };
}

function settings(pass: string, components: string[]): string {
  return [`<settings pass="${pass}">`, ...components, '</settings>'].join('\n');
}

function component(name: string, lines: string[]): string {
  return [`<component name="${name}" ${identity}>`, ...lines, '</component>'].join('\n');
}

/** "de_CH.UTF-8" is Windows' "de-CH". */
const language = ({ answers }: SeedRequest): string => answers.locale.replace(/\..*/, '').replace('_', '-');

function international(request: SeedRequest): string[] {
  const tag = language(request);
  return [
    xmlElement('InputLocale', windowsKeyboardOf(request.answers.keyboard.layout) ?? tag),
    xmlElement('SystemLocale', tag),
    xmlElement('UILanguage', tag),
    // For a medium in another language.
    xmlElement('UILanguageFallback', 'en-US'),
    xmlElement('UserLocale', tag),
  ];
}

/** Folders of the virtio driver disc (virtio-win.iso), in whichever drive it is. A path that is not there is passed over. */
function driverPaths({ os }: SeedRequest): string[] {
  const release = driverFolderOf(os.id ?? '');
  const paths = ['D', 'E', 'F', 'G'].flatMap((drive) =>
    ['viostor', 'vioscsi', 'NetKVM'].map((driver) => `${drive}:\\${driver}\\${release}\\amd64`),
  );
  return [
    '<DriverPaths>',
    ...paths.map(
      (path, index) => `<PathAndCredentials wcm:action="add" wcm:keyValue="${index + 1}">${xmlElement('Path', path)}</PathAndCredentials>`,
    ),
    '</DriverPaths>',
  ];
}

/** The virtio driver disc's folder of a release, by libosinfo's id. */
function driverFolderOf(osId: string): string {
  const folders: Record<string, string> = {
    win7: 'w7',
    win8: 'w8',
    'win8.1': 'w8.1',
    win10: 'w10',
    win11: 'w11',
    win2k8r2: '2k8R2',
    win2k12: '2k12',
    win2k12r2: '2k12R2',
    win2k16: '2k16',
    win2k19: '2k19',
    win2k22: '2k22',
    win2k25: '2k25',
  };
  return folders[osId] ?? 'w10';
}

function setup({ answers, firmware, tpm, os }: SeedRequest): string[] {
  const disk = firmware === 'bios' ? biosDisk : uefiDisk;
  return [
    ...checksToPass(os.id ?? '', firmware, tpm),
    '<DiskConfiguration>',
    '<WillShowUI>OnError</WillShowUI>',
    '<Disk wcm:action="add"><DiskID>0</DiskID><WillWipeDisk>true</WillWipeDisk>',
    ...disk.lines,
    '</Disk>',
    '</DiskConfiguration>',
    '<ImageInstall><OSImage>',
    `<InstallTo><DiskID>0</DiskID><PartitionID>${disk.partition}</PartitionID></InstallTo>`,
    '</OSImage></ImageInstall>',
    '<UserData>',
    '<AcceptEula>true</AcceptEula>',
    xmlElement('FullName', answers.user.fullName === '' ? answers.user.name : answers.user.fullName),
    '<ProductKey><Key></Key><WillShowUI>OnError</WillShowUI></ProductKey>',
    '</UserData>',
  ];
}

/** Windows 11 looks for a TPM and Secure Boot before it installs itself; where the guest was given none on purpose, it is told not to. */
function checksToPass(osId: string, firmware: SeedRequest['firmware'], tpm: boolean): string[] {
  if (osId !== 'win11') return [];
  const passed = [...(tpm ? [] : ['BypassTPMCheck']), ...(firmware === 'uefi-secure' ? [] : ['BypassSecureBootCheck'])];
  if (passed.length === 0) return [];
  return [
    '<RunSynchronous>',
    ...passed.map(
      (name, index) =>
        `<RunSynchronousCommand wcm:action="add"><Order>${index + 1}</Order>` +
        xmlElement('Path', `reg add HKLM\\SYSTEM\\Setup\\LabConfig /v ${name} /t REG_DWORD /d 1 /f`) +
        '</RunSynchronousCommand>',
    ),
    '</RunSynchronous>',
  ];
}

function partitions(created: string[], modified: string[]): string[] {
  const list = (outer: string, inner: string, all: string[]) => [
    `<${outer}>`,
    ...all.map((body, index) => `<${inner} wcm:action="add"><Order>${index + 1}</Order>${body}</${inner}>`),
    `</${outer}>`,
  ];
  return [...list('CreatePartitions', 'CreatePartition', created), ...list('ModifyPartitions', 'ModifyPartition', modified)];
}

const uefiDisk = {
  partition: 3,
  lines: partitions(
    ['<Type>EFI</Type><Size>260</Size>', '<Type>MSR</Type><Size>16</Size>', '<Type>Primary</Type><Extend>true</Extend>'],
    [
      '<PartitionID>1</PartitionID><Label>System</Label><Format>FAT32</Format>',
      '<PartitionID>2</PartitionID>',
      '<PartitionID>3</PartitionID><Label>Windows</Label><Letter>C</Letter><Format>NTFS</Format>',
    ],
  ),
};

const biosDisk = {
  partition: 2,
  lines: partitions(
    ['<Type>Primary</Type><Size>500</Size>', '<Type>Primary</Type><Extend>true</Extend>'],
    [
      '<PartitionID>1</PartitionID><Label>System</Label><Format>NTFS</Format><Active>true</Active>',
      '<PartitionID>2</PartitionID><Label>Windows</Label><Letter>C</Letter><Format>NTFS</Format>',
    ],
  ),
};

function specialize({ answers }: SeedRequest): string[] {
  const zone = windowsZoneOf(answers.timeZone);
  return [xmlElement('ComputerName', answers.hostname), ...(zone === null ? [] : [xmlElement('TimeZone', zone)])];
}

function firstSteps({ answers, clearPassword }: SeedRequest): string[] {
  const { user } = answers;
  return [
    '<OOBE>',
    '<HideEULAPage>true</HideEULAPage>',
    '<HideOEMRegistrationScreen>true</HideOEMRegistrationScreen>',
    '<HideOnlineAccountScreens>true</HideOnlineAccountScreens>',
    '<HideWirelessSetupInOOBE>true</HideWirelessSetupInOOBE>',
    '<ProtectYourPC>3</ProtectYourPC>',
    '</OOBE>',
    '<UserAccounts><LocalAccounts><LocalAccount wcm:action="add">',
    `<Password>${xmlElement('Value', encodePassword(clearPassword ?? ''))}<PlainText>false</PlainText></Password>`,
    xmlElement('Name', user.name),
    xmlElement('DisplayName', user.fullName === '' ? user.name : user.fullName),
    '<Group>Administrators</Group>',
    '</LocalAccount></LocalAccounts></UserAccounts>',
    '<FirstLogonCommands><SynchronousCommand wcm:action="add"><Order>1</Order>',
    xmlElement(
      'CommandLine',
      'cmd /c for %d in (D E F G) do if exist %d:\\virtio-win-guest-tools.exe %d:\\virtio-win-guest-tools.exe /install /quiet /norestart',
    ),
    '<Description>Drivers and agents of the virtio disc, where it is inserted</Description>',
    '</SynchronousCommand></FirstLogonCommands>',
  ];
}

/** Windows' own way of hiding a password from who looks over a shoulder: reversible, and no protection. */
function encodePassword(password: string): string {
  return Buffer.from(`${password}Password`, 'utf16le').toString('base64');
}
