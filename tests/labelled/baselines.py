# SPDX-License-Identifier: MIT
"""What others call a leak, on one series of evenly spaced values: each baseline gives True for an alarm.
Sources: last - first; ordinary least squares and R2 >= 0.8 as most scripts do; Mann-Kendall and Sen; Hamed and Rao 1998;
Coroot's production rule; Precog's regression over the time to exhaustion behind a max filter."""
import math

MIB = 1 << 20


def last_first(v, step):
    return v[-1] - v[0] > max(8 * MIB, 0.05 * v[0])


def line(v):
    n = len(v)
    mx, my = (n - 1) / 2, sum(v) / n
    sxx = sum((i - mx) ** 2 for i in range(n))
    sxy = sum((i - mx) * (y - my) for i, y in enumerate(v))
    syy = sum((y - my) ** 2 for y in v)
    b = sxy / sxx if sxx else 0
    return b, (sxy * sxy / sxx / syy if sxx and syy else 0)


def ols(v, step):
    b, r2 = line(v)
    return b > 0 and r2 >= 0.8 and b * (len(v) - 1) > MIB


def thin(v, n):
    """Evenly so many values: the rank tests are quadratic."""
    return [v[i * (len(v) - 1) // (n - 1)] for i in range(n)] if len(v) > n else list(v)


def kendall(v, correct):
    n = len(v)
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
            if abs(rho) * math.sqrt(n) > 1.96:
                total += (n - lag) * (n - lag - 1) * (n - lag - 2) * rho
        var *= max(1, 1 + 2 * total / (n * (n - 1) * (n - 2)))
    z = (s - (s > 0) + (s < 0)) / math.sqrt(var) if var > 0 else 0
    return z, b


def mann_kendall(v, step):
    z, b = kendall(thin(v, 200), False)
    return z > 1.96 and b > 0


def hamed_rao(v, step):
    z, b = kendall(thin(v, 200), True)
    return z > 1.96 and b > 0


def coroot(v, step):
    """Split at falls of over a half; the last quarter's slope at least 0.3 of the whole's; 5% of the limit an hour."""
    start = 0
    for i in range(1, len(v)):
        if v[i] < v[i - 1] * 0.5:
            start = i
    v = v[start:]
    if len(v) < 20:
        return False
    b, _ = line(v)
    last, _ = line(v[-len(v) // 4:])
    return b > 0 and last >= 0.3 * b and b / step * 3600 >= 0.05 * v[0]


def precog(v, step):
    """Linear over the running maximum: a leak when the fit is good and points upward to the end."""
    top, high = [], -math.inf
    for x in v:
        high = max(high, x)
        top.append(high)
    b, r2 = line(top)
    half, r2_half = line(top[len(top) // 2:])
    return b > 0 and r2 >= 0.75 and half > 0 and r2_half >= 0.75 and b * len(v) > MIB


ALL = {"last - first": last_first, "OLS + R2": ols, "Mann-Kendall + Sen": mann_kendall, "Hamed-Rao": hamed_rao,
       "Coroot's rule": coroot, "Precog + max filter": precog}
