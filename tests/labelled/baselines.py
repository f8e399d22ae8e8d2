# SPDX-License-Identifier: MIT
"""What others call a leak, on one series of evenly spaced values: each baseline gives whether it alarms, and the slope it
finds with its own interval at 95%, in units a step, None where it has none.
Sources: last - first; ordinary least squares and R2 >= 0.8 as most scripts do; Mann-Kendall and Sen; Hamed and Rao 1998;
Coroot's production rule; Precog's regression over the time to exhaustion behind a max filter."""
import collections
import math

MIB = 1 << 20
Z95 = 1.96
Found = collections.namedtuple("Found", "alarm slope low high", defaults=(None, None, None))


def last_first(v, step):
    return Found(v[-1] - v[0] > max(8 * MIB, 0.05 * v[0]), (v[-1] - v[0]) / max(1, len(v) - 1))


def line(v):
    """Slope, R2, and the slope's standard error by the textbook."""
    n = len(v)
    mx, my = (n - 1) / 2, sum(v) / n
    sxx = sum((i - mx) ** 2 for i in range(n))
    sxy = sum((i - mx) * (y - my) for i, y in enumerate(v))
    syy = sum((y - my) ** 2 for y in v)
    b = sxy / sxx if sxx else 0
    error = math.sqrt(max(0, syy - b * sxy) / (n - 2) / sxx) if sxx and n > 2 else 0
    return b, (sxy * sxy / sxx / syy if sxx and syy else 0), error


def ols(v, step):
    b, r2, error = line(v)
    return Found(b > 0 and r2 >= 0.8 and b * (len(v) - 1) > MIB, b, b - Z95 * error, b + Z95 * error)


def thin(v, n):
    """Evenly so many values: the rank tests are quadratic."""
    return [v[i * (len(v) - 1) // (n - 1)] for i in range(n)] if len(v) > n else list(v)


def kendall(whole, correct):
    v = thin(whole, 200)
    n = len(v)
    scale = (len(whole) - 1) / max(1, n - 1)
    s = sum((v[k] > v[i]) - (v[k] < v[i]) for i in range(n) for k in range(i + 1, n))
    ties = {}
    for x in v:
        ties[x] = ties.get(x, 0) + 1
    var = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties.values())) / 18
    slopes = sorted((v[k] - v[i]) / (k - i) for i in range(n) for k in range(i + 1, n))
    b = slopes[len(slopes) // 2]
    if correct:
        rest = [y - b * i for i, y in enumerate(v)]
        order = sorted(range(n), key=lambda i: rest[i])
        rank = [0.0] * n
        for r, i in enumerate(order):
            rank[i] = r
        mean = (n - 1) / 2
        c0 = sum((r - mean) ** 2 for r in rank)
        total = 0
        for lag in range(1, n - 2):
            rho = sum((rank[i] - mean) * (rank[i + lag] - mean) for i in range(n - lag)) / c0 if c0 else 0
            if abs(rho) * math.sqrt(n) > Z95:
                total += (n - lag) * (n - lag - 1) * (n - lag - 2) * rho
        var *= max(1, 1 + 2 * total / (n * (n - 1) * (n - 2)))
    sd = math.sqrt(var) if var > 0 else 0
    z = (s - (s > 0) + (s < 0)) / sd if sd else 0
    low = slopes[max(0, int((len(slopes) - Z95 * sd) / 2))]
    high = slopes[min(len(slopes) - 1, math.ceil((len(slopes) + Z95 * sd) / 2))]
    return Found(z > Z95 and b > 0, b / scale, low / scale, high / scale)


def mann_kendall(v, step):
    return kendall(v, False)


def hamed_rao(v, step):
    return kendall(v, True)


def coroot(v, step):
    """Split at falls of over a half; the last quarter's slope at least 0.3 of the whole's; 5% of the limit an hour."""
    start = 0
    for i in range(1, len(v)):
        if v[i] < v[i - 1] * 0.5:
            start = i
    v = v[start:]
    if len(v) < 20:
        return Found(False)
    b, _, error = line(v)
    last = line(v[-len(v) // 4:])[0]
    return Found(b > 0 and last >= 0.3 * b and b / step * 3600 >= 0.05 * v[0], b, b - Z95 * error, b + Z95 * error)


def precog(v, step):
    """Linear over the running maximum: a leak when the fit is good and points upward to the end."""
    top, high = [], -math.inf
    for x in v:
        high = max(high, x)
        top.append(high)
    b, r2, error = line(top)
    half, r2_half, _ = line(top[len(top) // 2:])
    return Found(b > 0 and r2 >= 0.75 and half > 0 and r2_half >= 0.75 and b * len(v) > MIB,
                 b, b - Z95 * error, b + Z95 * error)


ALL = {"last - first": last_first, "OLS + R2": ols, "Mann-Kendall + Sen": mann_kendall, "Hamed-Rao": hamed_rao,
       "Coroot's rule": coroot, "Precog + max filter": precog}
