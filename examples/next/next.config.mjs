// @cloakroom/client is linked to its folder, which is outside this one.
export default { turbopack: { root: `${import.meta.dirname}/../..` } };
