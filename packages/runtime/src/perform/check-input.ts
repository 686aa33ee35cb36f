import { equalJson, isPlainJson, type CheckInput } from '@dreamfold/core';
import type { Team } from '../team/team.ts';
import { faultOf } from '../thrown.ts';

/**
 * Applies the schemas of a team's tools. What a schema makes of an input is given back where JSON can hold it: a person is shown that, and
 * the tool is given it. Of a date, a map or a class JSON cannot hold, the input itself is shown, and the schema is applied to it when it runs.
 */
export function checkInputWith({ agents }: Team): CheckInput {
  return (agent, name, input) => {
    const tool = agents.get(agent)?.tools.find((one) => one.name === name);
    if (tool === undefined) return { fits: true };
    let parsed: unknown;
    try {
      parsed = tool.parse(input);
    } catch (error) {
      const { code, message, remedy } = faultOf(error);
      return { fits: false, message: code === null ? `${name}: its schema failed: ${message}` : `${message}. ${remedy}` };
    }
    if (!isPlainJson(parsed)) return { fits: true };
    const json = JSON.parse(JSON.stringify(parsed)) as unknown;
    return equalJson(json, input) ? { fits: true } : { fits: true, parsed: json };
  };
}
