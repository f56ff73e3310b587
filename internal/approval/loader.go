package approval

import "strings"

// loaders are variables that let their setter have code run, or libraries
// found, in a process whose argv says nothing of it: where one is free, binding
// argv or tree binds nothing. A name that ends in "*" stands for all that begin so.
var loaders = []struct{ name, why string }{
	{"LD_*", "the dynamic loader of Linux and BSD loads libraries of the setter's choice"},
	{"DYLD_*", "the dynamic loader of macOS does"},
	{"GCONV_PATH", "the C library loads character converters from there"},
	{"GLIBC_TUNABLES", "it changes how the loader and the allocator work"},
	{"LOCPATH", "the C library reads locale files from there"},
	{"OPENSSL_*", "OpenSSL reads a configuration that loads engines, or loads modules, from there"},
	{"SSLKEYLOGFILE", "TLS keys are written there"},
	{"NODE_OPTIONS", "Node.js takes options from it, modules to load first among them"},
	{"NODE_PATH", "Node.js finds modules there"},
	{"NODE_REPL_*", "Node.js loads a module from there"},
	{"NODE_EXTRA_CA_CERTS", "Node.js trusts the certificates in there"},
	{"NODE_TLS_REJECT_UNAUTHORIZED", "Node.js checks no certificates"},
	{"NODE_COMPILE_CACHE", "Node.js runs code that it finds compiled there"},
	{"NODE_ICU_DATA", "Node.js reads data of its library from there"},
	{"NPM_CONFIG_*", "npm takes its registry, scripts and node options from them"},
	{"BUN_*", "Bun takes options and preloaded modules from them"},
	{"DENO_*", "Deno takes its module cache, registry and certificates from them"},
	{"ELECTRON_RUN_AS_NODE", "an Electron application becomes Node.js"},
	{"PYTHON*", "Python takes its library, modules, startup file and options from them"},
	{"PIP_*", "pip takes its index and options from them"},
	{"UV_PYTHON*", "uv takes its interpreter from them"},
	{"UV_INDEX*", "uv takes packages from there"},
	{"UV_CONFIG_FILE", "uv takes options from there"},
	{"VIRTUAL_ENV", "tools of Python take the interpreter and its packages from there"},
	{"PERL5*", "Perl takes options, modules and a debugger from them"},
	{"PERLLIB", "Perl takes modules from there"},
	{"RUBY*", "Ruby takes options, modules and its shell from them"},
	{"GEM_*", "Ruby takes packages from there"},
	{"BUNDLE_*", "Bundler takes its Gemfile and packages from them"},
	{"JAVA_*", "the JVM takes options, agents among them, and its home from them"},
	{"_JAVA_*", "the JVM takes options, agents among them, from them"},
	{"JDK_*", "the JVM takes options, agents among them, from them"},
	{"CLASSPATH", "the JVM takes classes from there"},
	{"DOTNET_*", ".NET takes startup hooks, profilers and its root from them"},
	{"CORECLR_*", ".NET loads a profiler from there"},
	{"COR_*", ".NET loads a profiler from there"},
	{"LUA_*", "Lua takes modules and start code from them"},
	{"PHPRC", "PHP takes its configuration from there"},
	{"PHP_INI_SCAN_DIR", "PHP takes its configuration from there"},
	{"R_PROFILE*", "R runs it before a script"},
	{"R_ENVIRON*", "R takes variables from there"},
	{"R_LIBS*", "R takes libraries from there"},
	{"JULIA_*", "Julia takes its project and packages from them"},
	{"ERL_*", "Erlang takes options and libraries from them"},
	{"BASH_ENV", "bash runs it before a script"},
	{"BASH_FUNC_*", "bash takes functions from them"},
	{"ENV", "a POSIX shell runs it when it starts"},
	{"ZDOTDIR", "zsh runs files of that folder"},
	{"SHELLOPTS", "bash takes options from it"},
	{"BASHOPTS", "bash takes options from it"},
	{"PS4", "a tracing shell expands it, commands included"},
	{"IFS", "a shell splits words by it"},
	{"GIT_CONFIG*", "git takes options from them, programs to run among them"},
	{"GIT_EXEC_PATH", "git runs programs from there"},
	{"GIT_SSH*", "git runs it"},
	{"GIT_ASKPASS", "git runs it"},
	{"GIT_EXTERNAL_DIFF", "git runs it"},
	{"GIT_PROXY_COMMAND", "git runs it"},
	{"GODEBUG", "it changes how a Go program behaves, certificate checks included"},
}

// LoaderVariable reports whether a variable is refused for a local server, and
// why. Case does not count: it does not on Windows.
func LoaderVariable(name string) (why string, refused bool) {
	upper := strings.ToUpper(name)
	for _, l := range loaders {
		prefix, all := strings.CutSuffix(l.name, "*")
		if upper == l.name || all && strings.HasPrefix(upper, prefix) {
			return l.why, true
		}
	}
	return "", false
}
