/** What a game's services and servers share in tests, and what another game has. */
export const CURRENT = "current-secret-of-32-characters-";
export const PREVIOUS = "previous-secret-of-32-characters";
export const FOREIGN = "foreign-secret-of-32-characters-";
