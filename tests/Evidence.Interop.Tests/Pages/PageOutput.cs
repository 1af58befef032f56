namespace Evidence.Interop.Tests.Pages;

/// <summary>Holds what a command printed against what a page shows of it.</summary>
internal static class PageOutput
{
    /// <summary>On the page, for any number of lines that are left out.</summary>
    private const string LeftOut = "…";

    /// <summary>What the page would show of a run: its lines in the page's selection. Null where the page shows something else.</summary>
    internal static IReadOnlyList<string>? Align(IReadOnlyList<string> page, IReadOnlyList<string> run, VaryingText varying) => Align(page, run, 0, 0, varying);

    private static List<string>? Align(IReadOnlyList<string> page, IReadOnlyList<string> run, int i, int j, VaryingText varying)
    {
        var shown = new List<string>();
        for (; i < page.Count; i++, j++)
        {
            if (page[i].Trim() == LeftOut)
            {
                shown.Add(page[i]);
                for (int next = j; next <= run.Count; next++)
                {
                    int mark = varying.Mark();
                    if (Align(page, run, i + 1, next, varying) is { } rest)
                        return [.. shown, .. rest];
                    varying.Forget(mark);
                }

                return null;
            }

            if (j >= run.Count || !varying.Matches(page[i], run[j]))
                return null;
            shown.Add(run[j]);
        }

        return j == run.Count ? shown : null;
    }
}
