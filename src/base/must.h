/* base/must.h - programmer errors, cleanup, and the calls that we do not use.
 *
 * must() is for what cannot be unless this program is wrong; it stays on in
 * release. Bytes from outside get an error instead (base/err.h).
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

/* Ends the process, saying where, when the condition is false. */
#define must(cond) ((cond) ? (void)0 : must_failed(#cond, __FILE__, __LINE__))
_Noreturn void must_failed(const char *cond, const char *file, int line);

/* Memory or nothing: ends the process when none is left. Callers check sizes
 * against base/limits.h first. Release with free(). */
void *must_alloc(unsigned long n) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *must_alloc_zero(unsigned long n) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *must_realloc(void *p, unsigned long n) __attribute__((returns_nonnull, alloc_size(2)));

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* AUTO(thing_free) struct thing *t = NULL;   calls thing_free(&t) at scope end. */
#define AUTO(fn) __attribute__((cleanup(fn)))
void free_ptr(void *pointer_to_pointer); /* AUTO(free_ptr) char *p */
void close_fd(int *fd);                  /* AUTO(close_fd) int fd = -1 */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
