// A scanner whose code is a script: QuickJS, the exports of the scanner ABI, and
// room into which `bartizan scanner build` writes the script. Starting evaluates
// it; the engine keeps what memory is then, and begins every call with that.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <quickjs.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

IMPORT("bartizan", "log") void host_log(int32_t level, const char *text, size_t length);

enum { DEBUG, INFO, WARNING, ERROR };
enum {
    SCRIPT_ROOM = 1 << 20,       // cmd/internal/script writes as much
    COLLECT_FROM = 24 << 20,     // memory is put back after each call: most need no collection
    MAX_INPUT = 1 << 30,
    // Of the stack of C; the engine's bound of the depth of calls comes a little later.
    STACK_OF_START = 96 << 10,   // a script nests deeper as a text than when it runs
    STACK_OF_SCRIPT = 40 << 10,  // more than a hundred calls
    STACK_OF_PARSER = 16 << 10,  // an input nests five deep
};

// The script, behind its length. Its address is exported.
__attribute__((used, aligned(8))) struct {
    uint32_t length;
    char text[SCRIPT_ROOM + 1];
} bartizan_script;

static const char prelude[] = {
#embed "prelude.js"
    , 0};

static JSContext *context;
static JSValue sdk; // what the prelude returned

// Logs what was thrown, its place included.
static void report(void) {
    JSValue thrown = JS_GetException(context);
    const char *text = JS_ToCString(context, thrown);
    if (text) host_log(ERROR, text, strlen(text));
    JSValue stack = JS_IsError(thrown) ? JS_GetPropertyStr(context, thrown, "stack") : JS_UNDEFINED;
    if (JS_IsString(stack) && (text = JS_ToCString(context, stack))) host_log(ERROR, text, strlen(text));
}

static JSValue call(const char *name, JSValueConst argument) {
    JSValue function = JS_GetPropertyStr(context, sdk, name);
    return JS_Call(context, function, sdk, 1, &argument);
}

static JSValue js_log(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    int32_t level;
    size_t length;
    const char *text;
    if (JS_ToInt32(ctx, &level, argv[0]) || !(text = JS_ToCStringLen(ctx, &length, argv[1]))) return JS_EXCEPTION;
    host_log(level, text, length);
    JS_FreeCString(ctx, text);
    return JS_UNDEFINED;
}

static JSValue js_size(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv) {
    size_t length;
    const char *text = JS_ToCStringLen(ctx, &length, argv[0]);
    if (!text) return JS_EXCEPTION;
    JS_FreeCString(ctx, text);
    return JS_NewInt64(ctx, length);
}

// A place in the text of a segment, counted in bytes of UTF-8 and in units of
// UTF-16. Places are mostly asked for in their order, so that it only goes on.
static struct {
    int32_t segment;
    const char *text;
    size_t length, byte, unit;
} cursor = {.segment = -1};

static int units(unsigned char first) { return first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xf0 ? 1 : 2; }

// Moves the cursor to the character at or behind a place.
static bool seek(JSContext *ctx, JSValueConst *argv, int64_t place, const size_t *counted) {
    int32_t segment;
    if (JS_ToInt32(ctx, &segment, argv[0])) return false;
    if (segment != cursor.segment) {
        cursor.text = JS_ToCStringLen(ctx, &cursor.length, argv[1]); // lives as long as the call
        if (!cursor.text) return false;
        cursor.segment = segment;
        cursor.byte = cursor.unit = 0;
    }
    if (place < (int64_t)*counted) cursor.byte = cursor.unit = 0;
    while ((int64_t)*counted < place && cursor.byte < cursor.length) {
        cursor.unit += units(cursor.text[cursor.byte++]);
        while (cursor.byte < cursor.length && (cursor.text[cursor.byte] & 0xc0) == 0x80) cursor.byte++;
    }
    return true;
}

// Where a place in a string is in its bytes, and the other way round: -1 if it is
// in no place of the text, or inside of a character.
static JSValue js_place(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv, int to_bytes) {
    int64_t place;
    const size_t *from = to_bytes ? &cursor.unit : &cursor.byte, *to = to_bytes ? &cursor.byte : &cursor.unit;
    if (JS_ToInt64(ctx, &place, argv[2]) || !seek(ctx, argv, place, from)) return JS_EXCEPTION;
    return JS_NewInt64(ctx, place == (int64_t)*from ? (int64_t)*to : -1);
}

static JSValue host(void) {
    JSValue host = JS_NewObject(context);
    JS_SetPropertyStr(context, host, "log", JS_NewCFunction(context, js_log, "log", 2));
    JS_SetPropertyStr(context, host, "size", JS_NewCFunction(context, js_size, "size", 1));
    JS_SetPropertyStr(context, host, "toBytes", JS_NewCFunctionMagic(context, js_place, "toBytes", 3, JS_CFUNC_generic_magic, 1));
    JS_SetPropertyStr(context, host, "toUnits", JS_NewCFunctionMagic(context, js_place, "toUnits", 3, JS_CFUNC_generic_magic, 0));
    return host;
}

// Evaluates the script, and what it waits for, and returns its exports.
static JSValue evaluate(void) {
    JSValue module = JS_Eval(context, bartizan_script.text, bartizan_script.length, "scanner.js", JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (JS_IsException(module)) return module;
    JSModuleDef *definition = JS_VALUE_GET_PTR(module);
    JSValue done = JS_EvalFunction(context, module);
    if (JS_IsException(done)) return done;
    JSContext *job;
    int ran;
    while ((ran = JS_ExecutePendingJob(JS_GetRuntime(context), &job)) > 0) {}
    if (ran < 0) return JS_EXCEPTION;
    if (JS_PromiseState(context, done) == JS_PROMISE_REJECTED) return JS_Throw(context, JS_PromiseResult(context, done));
    return JS_GetModuleNamespace(context, definition);
}

static bool start(void) {
    JSRuntime *runtime = JS_NewRuntime();
    if (!runtime || !(context = JS_NewContext(runtime))) return false;
    JS_SetMaxStackSize(runtime, STACK_OF_START);
    JSValue sdk_of = JS_Eval(context, prelude, sizeof prelude - 1, "prelude.js", JS_EVAL_TYPE_GLOBAL);
    if (JS_IsException(sdk_of)) return false;
    JSValue natives = host();
    sdk = JS_Call(context, sdk_of, JS_UNDEFINED, 1, &natives);
    if (JS_IsException(sdk)) return false;
    JSValue exports = evaluate();
    if (JS_IsException(exports) || JS_IsException(call("adopt", exports))) return false;
    JS_SetMaxStackSize(runtime, STACK_OF_SCRIPT);
    JS_RunGC(runtime);
    JS_SetGCThreshold(runtime, COLLECT_FROM);
    return true;
}

// `_initialize` calls this. A script that does not start is no scanner.
__attribute__((constructor)) static void initialize(void) {
    if (start()) return;
    if (context) report();
    abort();
}

// What the engine asked for and may write to.
static struct {
    char *at;
    size_t length;
} given;

EXPORT("bartizan_alloc") void *bartizan_alloc(size_t length) {
    if (length > MAX_INPUT) return NULL;
    given.at = malloc(length + 1); // the parser wants an end
    given.length = length;
    return given.at;
}

// The text that the engine points to, if it is there, as valid UTF-8.
static char *taken(char *at, size_t length) {
    static char nothing[1];
    if (length == 0) return nothing;
    if (!given.at || at != given.at || length != given.length) return NULL;
    at[length] = 0;
    given.at = NULL;
    return at;
}

static bool utf8(const unsigned char *s, size_t length) {
    for (size_t i = 0; i < length;) {
        unsigned char c = s[i++];
        int more = c < 0x80 ? 0 : c < 0xc2 ? -1 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : -1;
        if (more < 0 || (size_t)more > length - i) return false;
        if (more > 0) { // what the second byte may be keeps out surrogates, and forms that are too long or too large
            unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80, high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
            if (s[i] < low || s[i] > high) return false;
            for (int j = 1; j < more; j++)
                if ((s[i + j] & 0xc0) != 0x80) return false;
            i += more;
        }
    }
    return true;
}

EXPORT("bartizan_init") int32_t bartizan_init(char *at, size_t length) {
    char *text = taken(at, length);
    if (!text || !utf8((unsigned char *)text, length)) return 1;
    if (!JS_IsException(call("init", JS_NewStringLen(context, text, length)))) return 0;
    report();
    return 1;
}

EXPORT("bartizan_scan") uint64_t bartizan_scan(char *at, size_t length) {
    char *text = taken(at, length);
    if (!text || !utf8((unsigned char *)text, length)) return 0;
    JS_SetMaxStackSize(JS_GetRuntime(context), STACK_OF_PARSER);
    JSValue input = JS_ParseJSON(context, text, length, "input"), answer = input;
    JS_SetMaxStackSize(JS_GetRuntime(context), STACK_OF_SCRIPT);
    if (!JS_IsException(input)) answer = call("scan", input);
    size_t size = 0;
    const char *json = JS_IsException(answer) ? NULL : JS_ToCStringLen(context, &size, answer);
    if (json) return (uint64_t)(uintptr_t)json << 32 | size;
    report();
    return 0;
}
