export { useCountdown } from "./countdown.js";
export { type Form, type FormOptions, useForm } from "./form.js";
export { type Auth, AuthProvider, useAuth, useClient, useUser } from "./provider.js";
export { RequireAuth, type RequireAuthProps } from "./require-auth.js";
