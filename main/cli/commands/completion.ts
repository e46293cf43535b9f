/** `guesthouse completion`: scripts for shells, which ask the hidden `__complete` what may follow. */
import { Argument, type Command, type Option } from 'commander';
import type { CommandGroup, Context } from '../context.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

const scripts: Record<Shell, string> = {
  bash: `_guesthouse() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(guesthouse __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [ \${#COMPREPLY[@]} -gt 0 ] && COMPREPLY=("\${COMPREPLY[@]// /\\\\ }")
}
complete -o default -F _guesthouse guesthouse
`,
  zsh: `#compdef guesthouse
_guesthouse() {
  local -a candidates
  candidates=("\${(@f)$(guesthouse __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if (( \${#candidates[@]} )) && [[ -n "\${candidates[1]}" ]]; then compadd -a candidates; else _files; fi
}
compdef _guesthouse guesthouse
`,
  fish: `function __guesthouse_complete
  set -l words (commandline -opc) (commandline -ct)
  guesthouse __complete -- $words[2..-1] 2>/dev/null
end
complete -c guesthouse -a '(__guesthouse_complete)'
`,
};

export const addCompletion: CommandGroup = (program, context) => {
  program
    .command('completion')
    .description('print a completion script: source <(guesthouse completion bash)')
    .addArgument(new Argument('<shell>').choices(shells))
    .action((shell: Shell) => context.terminal.out(scripts[shell]));

  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const candidates = await complete(program, context, words);
      if (candidates.length > 0) context.terminal.out(`${candidates.join('\n')}\n`);
    });
};

/** What the last of `words` may become: commands, options, values of an option, names of guests, images and jobs. */
export async function complete(program: Command, context: Pick<Context, 'engine'>, words: readonly string[]): Promise<string[]> {
  const current = words.at(-1) ?? '';
  let command = program;
  let positionals = 0;
  let pending: Option | null = null;
  for (const word of words.slice(0, -1)) {
    if (pending) pending = null;
    else if (word.startsWith('-')) pending = optionOf(command, word);
    else {
      const next = command.commands.find((candidate) => candidate.name() === word);
      if (next) command = next;
      else positionals += 1;
    }
  }
  const matching = (candidates: readonly string[]) => candidates.filter((candidate) => candidate.startsWith(current));
  if (pending) return matching(pending.argChoices ?? (await namesFor(pending.attributeName(), context)));
  if (current.startsWith('-')) return matching(command.options.filter((option) => !option.hidden).map((option) => option.long ?? ''));
  if (command.commands.length > 0)
    return matching(command.commands.map((candidate) => candidate.name()).filter((name) => !name.startsWith('__')));
  const argument = command.registeredArguments[positionals];
  return argument ? matching(argument.argChoices ?? (await namesFor(argument.name(), context))) : [];
}

/** The option that `word` names, when a value of it follows. */
function optionOf(command: Command, word: string): Option | null {
  const option = command.options.find((candidate) => candidate.long === word || candidate.short === word);
  return option && (option.required || option.optional) ? option : null;
}

async function namesFor(noun: string, context: Pick<Context, 'engine'>): Promise<string[]> {
  if (noun !== 'guest' && noun !== 'image' && noun !== 'job') return [];
  const client = await context.engine();
  if (noun === 'guest') return (await client.call('guest.list', {})).map((guest) => guest.spec.name);
  if (noun === 'image') return (await client.call('image.list', {})).map((image) => image.name);
  return (await client.call('job.list', {})).map((job) => job.id);
}
