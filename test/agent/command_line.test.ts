import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { commands, runCommandLine } from '../../agent/command_line.ts';
import {
  type Command,
  type CommandTable,
  configOptions,
  type Invocation,
  jsonOption,
  UsageError,
} from '../../agent/commands/command.ts';
import { HoldfastError } from '../../config/error.ts';
import { recordingTerminal } from './recording_terminal.ts';

function tableOf(run: Command['run']): CommandTable {
  const command: Command = {
    description: 'Does a thing.',
    options: {
      ...configOptions,
      ...jsonOption,
      once: { type: 'string', value: 'N', description: 'One value.' },
    },
    examples: [{ line: 'holdfast run', says: 'does it' }],
    run,
  };
  const load = async () => command;
  return { run: { summary: 'runs', load }, validate: { summary: 'validates', load } };
}

async function call(args: string[], run: Command['run'] = async () => 0) {
  const terminal = recordingTerminal();
  let seen: Invocation | undefined;
  const code = await runCommandLine(
    args,
    terminal,
    tableOf((invocation, t) => {
      seen = invocation;
      return run(invocation, t);
    }),
  );
  return { code, out: terminal.outText(), err: terminal.errText(), seen };
}

describe('the command line', () => {
  it('runs without a command', async () => {
    expect((await call([])).seen).toBeDefined();
    expect((await call(['--config', 'a.yaml'])).seen?.values('config')).toEqual(['a.yaml']);
  });

  it('collects repeated options in order, in both spellings', async () => {
    const { seen } = await call(['validate', '--config', 'a', '--config=b', '--set', 'a.b=c=d', '--json']);
    expect(seen?.values('config')).toEqual(['a', 'b']);
    expect(seen?.values('set')).toEqual(['a.b=c=d']);
    expect(seen?.flag('json')).toBe(true);
  });

  it('passes the exit code on', async () => {
    expect((await call(['run'], async () => 1)).code).toBe(1);
  });

  it.each([
    [['rn'], 'did you mean "holdfast run"?'],
    [['valdate'], 'did you mean "holdfast validate"?'],
    [['zzzzzzzz'], 'see holdfast --help'],
    [['agent.yaml'], 'holdfast run --config agent.yaml'],
    [['run', 'agent.yaml'], 'did you mean --config agent.yaml?'],
    [['--config', 'a.yaml', 'validate'], 'the command goes first, holdfast validate'],
    [['run', '--confg', 'a'], 'did you mean --config?'],
    [['run', '--xyzzy'], 'see holdfast run --help'],
    [['run', '-x'], 'unknown option -x'],
    [['run', '--config'], '--config needs a value: --config FILE'],
    [['run', '--config', '--json'], '--config needs a value'],
    [['run', '--config='], '--config needs a value'],
    [['run', '--json=yes'], '--json takes no value'],
    [['run', '--once', '1', '--once', '2'], '--once is given twice'],
    [['run', '--', 'x'], 'unexpected argument "x"'],
    [['constructor'], 'unknown command "constructor"'],
    [['run', '--toString'], 'unknown option --toString'],
  ])('does not understand %j, says what was meant, and runs nothing', async (args, says) => {
    const { code, err, out, seen } = await call(args);
    expect([code, out, seen]).toEqual([2, '', undefined]);
    expect(err).toContain(says);
  });

  it('takes a value that looks like an option when it is written with =', async () => {
    expect((await call(['run', '--config=-a.yaml'])).seen?.values('config')).toEqual(['-a.yaml']);
  });

  it('prints an operating error with its code, exit code 1', async () => {
    const { code, err } = await call(['run'], async () => {
      throw new HoldfastError('HF_X_Y', 'no such file', false);
    });
    expect([code, err]).toEqual([1, 'holdfast: no such file (HF_X_Y)\n']);
  });

  it('prints what a command finds wrong with its arguments, exit code 2', async () => {
    const { code, err } = await call(['run'], async () => {
      throw new UsageError('--set needs KEY=VALUE');
    });
    expect([code, err]).toEqual([2, 'holdfast: --set needs KEY=VALUE\n']);
  });

  it('does not hide a programming error', async () => {
    const broken = async () => {
      throw new TypeError('undefined is not a function');
    };
    await expect(call(['run'], broken)).rejects.toThrow(TypeError);
  });

  it('never fails otherwise, whatever is typed', async () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'run',
        'validate',
        'help',
        '--config',
        '--set',
        '--json',
        '--help',
        '-h',
        '--',
        '-',
        '--=',
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (args) => {
        expect([0, 2]).toContain((await call(args)).code);
      }),
    );
  });
});

describe('the help and the version', () => {
  it.each([[['--version']], [['-v']], [['version']]])(
    'prints the version of package.json for %j',
    async (args) => {
      const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
      expect(await call(args)).toMatchObject({ code: 0, out: `holdfast ${version}\n`, err: '' });
    },
  );

  it.each([[['--help']], [['-h']], [['help']]])('lists the commands with examples for %j', async (args) => {
    const { code, out } = await call(args);
    expect(code).toBe(0);
    expect(out).toContain('Examples');
    expect(out).toMatch(/^ {2}validate +validates$/m);
  });

  it.each([[['run', '--help']], [['run', '-h']], [['help', 'run']]])(
    'explains a command for %j',
    async (args) => {
      const { code, out, seen } = await call(args);
      expect([code, seen]).toEqual([0, undefined]);
      expect(out).toContain('--config FILE');
      expect(out).toContain('holdfast run\n      does it');
    },
  );

  it('explains every command of the real table, with examples that the parser takes', async () => {
    for (const [name, { load }] of Object.entries(commands)) {
      const terminal = recordingTerminal();
      expect(await runCommandLine([name, '--help'], terminal)).toBe(0);
      const { examples, options } = await load();
      expect(examples.length).toBeGreaterThan(0);
      for (const { line } of examples) {
        expect(terminal.outText()).toContain(line);
        for (const option of line.match(/--[a-z]+/g) ?? [])
          expect(Object.keys(options)).toContain(option.slice(2));
      }
    }
  });
});
