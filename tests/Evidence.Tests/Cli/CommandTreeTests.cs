using System.CommandLine;
using Evidence.Cli;
using Xunit;

namespace Evidence.Tests.Cli;

/// <summary>Every verb there is, as the command's tree has them.</summary>
public sealed class CommandTreeTests
{
    private static readonly RootCommand Root = CommandTree.Build();

    public static TheoryData<string, string> Numbers =>
        [.. Verbs(Root, []).SelectMany(verb => verb.Command.Options.Where(o => IsNumber(o.ValueType)).Select(o => (string.Join(' ', verb.Words), o.Name)))];

    [Theory]
    [MemberData(nameof(Numbers))]
    public void What_is_no_number_is_refused_in_words(string verb, string option)
    {
        foreach (string value in (string[])["abc", "1.5", "", "99999999999999999999", "0x10"])
        {
            ParseResult parsed = Root.Parse([.. verb.Split(' '), option, value]);
            Assert.Contains(parsed.Errors, e => e.Message.StartsWith($"{option} takes a number from ", StringComparison.Ordinal) && e.Message.EndsWith($", not '{value}'.", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void There_are_options_that_take_numbers() => Assert.InRange(Numbers.Count, 10, 100);

    [Fact]
    public void Arguments_that_are_entries_are_numbers_from_0()
    {
        var arguments = Verbs(Root, []).SelectMany(verb => verb.Command.Arguments.Where(a => IsNumber(a.ValueType) || a.ValueType == typeof(long[])).Select(a => (verb.Words, a.Name))).ToList();
        Assert.InRange(arguments.Count, 5, 100);
        foreach ((IReadOnlyList<string> words, string name) in arguments)
        {
            ParseResult parsed = Root.Parse([.. words, "first"]);
            Assert.Contains(parsed.Errors, e => string.Equals(e.Message, $"{name} takes a number from 0, not 'first'.", StringComparison.Ordinal));
        }
    }

    private static bool IsNumber(Type type) => (Nullable.GetUnderlyingType(type) ?? type) is { IsPrimitive: true } number && number != typeof(bool);

    private static IEnumerable<(IReadOnlyList<string> Words, Command Command)> Verbs(Command command, IReadOnlyList<string> words) =>
        command.Subcommands.SelectMany(c => Verbs(c, [.. words, c.Name])).Prepend((words, command));
}
