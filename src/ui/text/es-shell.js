// The shell's words in Spanish.
export default {};
