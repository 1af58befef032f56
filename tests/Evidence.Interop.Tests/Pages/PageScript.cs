using System.Text.RegularExpressions;

namespace Evidence.Interop.Tests.Pages;

/// <summary>
/// A page of the documentation that is also a program: its blocks of <c>console</c> hold commands and what they print. A command stands behind a prompt,
/// <c>PARTY HH:MM$</c>: on whose machine it is run, and when; the day is in the heading above (<c>## 2026-03-02</c>). Lines that follow it with <c>&gt; </c> belong to
/// the command. A line <c>…</c> stands for lines that are left out, and <c>[exit N]</c> for an exit code other than 0. A command that ends in <c>&amp;</c> goes on
/// until the page's end.
/// </summary>
internal sealed partial class PageScript
{
    private const string Continuation = "> ";

    private readonly string[] lines;

    private PageScript(string[] page, IReadOnlyList<PageStep> steps) => (lines, Steps) = (page, steps);

    internal IReadOnlyList<PageStep> Steps { get; }

    internal static PageScript Parse(string text)
    {
        string[] page = text.Split('\n');
        var steps = new List<PageStep>();
        string? day = null;
        bool isScript = false;
        for (int i = 0; i < page.Length; i++)
        {
            if (page[i].StartsWith("```", StringComparison.Ordinal))
            {
                isScript = !isScript && page[i] == "```console";
            }
            else if (!isScript)
            {
                if (Heading().Match(page[i]) is { Success: true } heading)
                    day = heading.Groups["day"].Value;
            }
            else
            {
                steps.Add(ReadStep(page, ref i, day ?? throw Wrong(i, "no heading above it names the day")));
            }
        }

        return new PageScript(page, steps);
    }

    /// <summary>The page with other outputs.</summary>
    /// <param name="outputs">One for each step.</param>
    internal string With(IReadOnlyList<IReadOnlyList<string>> outputs)
    {
        var result = new List<string>();
        int next = 0;
        foreach ((PageStep step, IReadOnlyList<string> output) in Steps.Zip(outputs))
        {
            result.AddRange(lines[next..step.OutputStart]);
            result.AddRange(output);
            next = step.OutputStart + step.Output.Count;
        }

        result.AddRange(lines[next..]);
        return string.Join('\n', result);
    }

    private static PageStep ReadStep(string[] page, ref int i, string day)
    {
        if (Prompt().Match(page[i]) is not { Success: true } prompt)
            throw Wrong(i, "a block begins with a prompt such as 'turing 09:15$ '");
        int start = i + 1;
        while (start < page.Length && page[start].StartsWith(Continuation, StringComparison.Ordinal))
            start++;
        string command = string.Join('\n', [prompt.Groups["command"].Value, .. page[(i + 1)..start].Select(line => line[Continuation.Length..])]);
        int end = start;
        while (end < page.Length && !page[end].StartsWith("```", StringComparison.Ordinal) && !Prompt().IsMatch(page[end]))
            end++;
        var step = new PageStep(i + 1, prompt.Groups["party"].Value, $"{day} {prompt.Groups["time"].Value}:00", command, start, page[start..end]);
        i = end - 1;
        return step;
    }

    private static FormatException Wrong(int line, string why) => new($"Line {line + 1} of the page: {why}.");

    [GeneratedRegex(@"^#+ .*?(?<day>\d{4}-\d{2}-\d{2})", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^(?<party>[a-z]+) (?<time>\d{2}:\d{2})\$ (?<command>.+)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Prompt();
}

/// <summary>A command of a page.</summary>
/// <param name="Line">The line of its prompt, from 1.</param>
/// <param name="Party">On whose machine it is run.</param>
/// <param name="Time">When: <c>2026-03-02 09:15:00</c>, UTC.</param>
/// <param name="Command">The command, for bash.</param>
/// <param name="OutputStart">The first line of its output, from 0.</param>
/// <param name="Output">What the page says that it prints.</param>
internal sealed record PageStep(int Line, string Party, string Time, string Command, int OutputStart, IReadOnlyList<string> Output)
{
    /// <summary>Whether it goes on until the page's end.</summary>
    internal bool IsInBackground => Command.EndsWith(" &", StringComparison.Ordinal);
}
