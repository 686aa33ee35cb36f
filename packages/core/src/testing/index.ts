export { GivenSession, givenAgent, givenCriterion, givenTool, textDigest, type GivenPart, type GivenTeam } from './given-session.ts';
export { seeded } from './seeded.ts';
