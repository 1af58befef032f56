using System.Globalization;
using System.Text.RegularExpressions;

namespace Evidence.Interop.Tests.Pages;

/// <summary>
/// Tells whether a run printed what a page shows, where keys, hashes and durations are others in each run. Hashes and keys stand for each other one to one: what is
/// one on the page must be one in the run, and what are two must be two; a shortened one begins as the whole one does.
/// </summary>
internal sealed partial class VaryingText
{
    private const double SizeTolerance = 0.02;

    private readonly List<(string Page, string Run)> pairs = [];

    /// <summary>Whether a run's line is the page's; takes in what stands for what.</summary>
    internal bool Matches(string page, string run)
    {
        int before = pairs.Count;
        if (MatchesAll(page, run))
            return true;
        pairs.RemoveRange(before, pairs.Count - before);
        return false;
    }

    /// <summary>What was taken in so far; for <see cref="Forget"/>.</summary>
    internal int Mark() => pairs.Count;

    internal void Forget(int mark) => pairs.RemoveRange(mark, pairs.Count - mark);

    private bool MatchesAll(string page, string run)
    {
        Match[] expected = [.. Varying().Matches(page).Cast<Match>()];
        Match[] actual = [.. Varying().Matches(run).Cast<Match>()];
        if (expected.Length != actual.Length)
            return false;
        int from = 0;
        int at = 0;
        foreach ((Match one, Match other) in expected.Zip(actual))
        {
            if (page[from..one.Index] != run[at..other.Index] || !IsSame(one, other))
                return false;
            from = one.Index + one.Length;
            at = other.Index + other.Length;
        }

        return page[from..] == run[at..];
    }

    private bool IsSame(Match page, Match run)
    {
        if (page.Groups["seconds"].Success)
            return run.Groups["seconds"].Success;
        if (page.Groups["size"].Success)
            return run.Groups["size"].Success && page.Groups["unit"].Value == run.Groups["unit"].Value && IsNear(Number(page), Number(run));
        return run.Groups["value"].Success && IsSame(page.Value, run.Value);
    }

    private bool IsSame(string page, string run)
    {
        if (page.Length != run.Length || page.StartsWith('+') != run.StartsWith('+'))
            return false;
        foreach ((string knownPage, string knownRun) in pairs)
        {
            if (page.StartsWith(knownPage, StringComparison.Ordinal) != run.StartsWith(knownRun, StringComparison.Ordinal) ||
                knownPage.StartsWith(page, StringComparison.Ordinal) != knownRun.StartsWith(run, StringComparison.Ordinal))
            {
                return false;
            }
        }

        pairs.Add((page, run));
        return true;
    }

    private static double Number(Match size) => double.Parse(size.Groups["size"].Value, CultureInfo.InvariantCulture);

    private static bool IsNear(double one, double other) => Math.Abs(one - other) <= 0.1 + (SizeTolerance * Math.Max(one, other));

    /// <summary>Keys and hashes: a verifier key's id and key, hexadecimal digits that nobody counts by, base64. Then durations, and sizes that are rounded.</summary>
    [GeneratedRegex(@"(?<value>" + Values + @")|(?<![\d.])(?<seconds>\d+(\.\d+)?) m?s\b|(?<![\d.])(?<size>\d+\.\d) (?<unit>[KMGT]iB)\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Varying();

    private const string Values =
        @"\+[0-9a-f]{8}\+[A-Za-z0-9+/]{40,}={0,2}|(?<=sha256:)[0-9a-f]{8,64}(?![0-9A-Za-z])|(?<![0-9A-Za-z+/])[0-9a-f]{12,}(?![0-9A-Za-z+/])|(?<![0-9A-Za-z+/])[A-Za-z0-9+/]{40,}={0,2}(?![0-9A-Za-z+/=])";
}
