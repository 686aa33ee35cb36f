import { Command } from 'commander';
import { expect, test } from 'vitest';
import { COMMAND_LIST, nameOf } from './command-list.ts';
import { Io } from './io.ts';

test.each(COMMAND_LIST.map((listed) => [nameOf(listed), listed] as const))(
  'the help lists %s as it describes itself',
  async (name, listed) => {
    const root = new Command('dreamfold');
    const { register } = await listed.load();
    register(root, new Io());
    const command = root.commands.find((one) => one.name() === name)!;
    const stub = root.createCommand().command(listed.usage);
    expect(command.summary()).toBe(listed.summary);
    const argumentsOf = (of: Command): unknown[] =>
      of.registeredArguments.map((argument) => [argument.name(), argument.required, argument.variadic]);
    expect(argumentsOf(command)).toEqual(argumentsOf(stub));
  },
);
