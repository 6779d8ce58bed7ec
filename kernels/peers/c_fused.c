/* The gradient step of logistic regression in blocks of examples; a block stays in the cache between its two products.
   X[i * n_x + j] is feature j of example i in order F, X[j * m + i] in order C; `real` is double or float. */
#include <tgmath.h>

#define BLOCK_BYTES 32768
#define LONGEST 1024

static void forward(long n_x, long m, int order_f, const real *w, real b, const real *X, long n, real *z)
{
    for (long i = 0; i < n; i++) z[i] = b;
    if (order_f)
        for (long i = 0; i < n; i++) {
            real s = 0;
            for (long j = 0; j < n_x; j++) s += w[j] * X[i * n_x + j];
            z[i] += s;
        }
    else
        for (long j = 0; j < n_x; j++)
            for (long i = 0; i < n; i++) z[i] += w[j] * X[j * m + i];
}

static void backward(long n_x, long m, int order_f, const real *X, long n, const real *dz, real *dw)
{
    if (order_f)
        for (long i = 0; i < n; i++)
            for (long j = 0; j < n_x; j++) dw[j] += dz[i] * X[i * n_x + j];
    else
        for (long j = 0; j < n_x; j++) {
            real s = 0;
            for (long i = 0; i < n; i++) s += dz[i] * X[j * m + i];
            dw[j] += s;
        }
}

/* Writes dw (n_x) and db, and returns J. */
static double cost_and_gradient(long n_x, long m, int order_f, const real *w, real b, const real *X, const real *Y,
                                int threads, real *dw, double *db)
{
    long fits = BLOCK_BYTES / (n_x * (long)sizeof(real)), least = order_f ? 16 : 128;
    long block = fits < least ? least : fits > LONGEST ? LONGEST : fits;
    double J = 0, d = 0;
    for (long j = 0; j < n_x; j++) dw[j] = 0;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(+ : J, d, dw[:n_x])
    for (long start = 0; start < m; start += block) {
        long n = m - start < block ? m - start : block;
        const real *x = X + start * (order_f ? n_x : 1), *y = Y + start;
        real z[LONGEST], dz[LONGEST], losses = 0, sum = 0;
        forward(n_x, m, order_f, w, b, x, n, z);
        for (long i = 0; i < n; i++) {
            real e = exp(-fabs(z[i]));
            losses += fmax((1 - 2 * y[i]) * z[i], (real)0) + log1p(e);
            dz[i] = (z[i] >= 0 ? 1 : e) / (1 + e) - y[i];
            sum += dz[i];
        }
        backward(n_x, m, order_f, x, n, dz, dw);
        J += losses;
        d += sum;
    }
    for (long j = 0; j < n_x; j++) dw[j] /= m;
    *db = d / m;
    return J / m;
}
