/** The part of this package that depends on nothing: identities and the proof verifier. */
export * from "./identity.js";
export * from "./proof.js";
