using System.Text;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Canonical;

public sealed class CanonicalJsonTests
{
    [Fact]
    public void Names_are_sorted_by_utf16_code_units_as_in_rfc_8785_section_3_2_3()
    {
        var value = new JsonObject
        {
            ["\u20ac"] = "Euro Sign",
            ["\r"] = "Carriage Return",
            ["\ufb33"] = "Hebrew Letter Dalet With Dagesh",
            ["1"] = "One",
            ["\ud83d\ude00"] = "Emoji: Grinning Face",
            ["\u0080"] = "Control",
            ["\u00f6"] = "Latin Small Letter O With Diaeresis",
        };
        Assert.Equal(
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"\u00f6\":\"Latin Small Letter O With Diaeresis\"," +
            "\"\u20ac\":\"Euro Sign\",\"\ud83d\ude00\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}",
            Encoding.UTF8.GetString(CanonicalJson.Serialize(value)));
    }

    [Fact]
    public void Strings_literals_and_integers_are_written_as_in_rfc_8785_section_3_2_2()
    {
        var value = new JsonObject
        {
            ["string"] = "\u20ac$\u000F\nA'\u0042\u0022\u005c\\\"/\b\f\t\u007f\u2028",
            ["literals"] = new JsonArray(null, true, false),
            ["numbers"] = new JsonArray(0, -1, CanonicalJson.MaximumInteger, -CanonicalJson.MaximumInteger, (byte)7, 12L),
        };
        Assert.Equal(
            "{\"literals\":[null,true,false],\"numbers\":[0,-1,9007199254740991,-9007199254740991,7,12]," +
            "\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\b\\f\\t\u007f\u2028\"}",
            Encoding.UTF8.GetString(CanonicalJson.Serialize(value)));
    }

    [Fact]
    public void What_other_parsers_would_change_is_not_written()
    {
        Assert.Throws<ArgumentException>(() => CanonicalJson.Serialize(JsonValue.Create(1.5)));
        Assert.Throws<ArgumentException>(() => CanonicalJson.Serialize(JsonValue.Create(-0.0)));
        Assert.Throws<ArgumentException>(() => CanonicalJson.Serialize(JsonValue.Create(1e300)));
        Assert.Throws<ArgumentException>(() => CanonicalJson.Serialize(JsonValue.Create(CanonicalJson.MaximumInteger + 1)));
        Assert.Throws<ArgumentException>(() => CanonicalJson.Serialize(JsonValue.Create(ulong.MaxValue)));
        Assert.Throws<ArgumentException>(() => CanonicalJson.Serialize(JsonValue.Create("\ud83d")));
        Assert.Throws<ArgumentException>(() => CanonicalJson.Serialize(JsonValue.Create("\ude00\ud83d")));
        JsonNode deep = new JsonArray();
        for (int i = 0; i < 32; i++)
            deep = new JsonArray(deep);
        Assert.Throws<ArgumentException>(() => CanonicalJson.Serialize(deep));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("null", 0)]
    [InlineData("{\"a\":1,\"a\":1}", 7)]
    [InlineData("{\"b\":1,\"a\":1}", 2)]
    [InlineData("{\"a\": 1}", 5)]
    [InlineData(" {}", 0)]
    [InlineData("{}\n", 2)]
    [InlineData("{}{}", 2)]
    [InlineData("{\"a\":1.0}", 5)]
    [InlineData("{\"a\":1e2}", 5)]
    [InlineData("{\"a\":-0}", 5)]
    [InlineData("{\"a\":9007199254740992}", 5)]
    [InlineData("{\"a\":\"\\u0041\"}", 6)]
    [InlineData("{\"a\":\"\\/\"}", 6)]
    [InlineData("{\"a\":\"\\u000F\"}", 11)]
    [InlineData("{\"a\":\"\\ud83d\"}", 5)]
    [InlineData("{\"a\":01}", 6)]
    [InlineData("{\"a\":1,}", 7)]
    [InlineData("[1,2", 4)]
    [InlineData("{\"a\"\n:nul}", 9)]
    public void Anything_but_the_canonical_form_is_refused_with_the_offset(string json, int offset)
    {
        var error = Assert.Throws<FormatException>(() => CanonicalJson.Parse(Encoding.UTF8.GetBytes(json)));
        Assert.Contains($"at byte {offset}", error.Message.Replace("is wrong at", "at", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Invalid_utf8_and_too_deep_nesting_are_refused()
    {
        Assert.Contains("byte 2", Assert.Throws<FormatException>(() => CanonicalJson.Parse([(byte)'[', (byte)'"', 0xFF, (byte)'"', (byte)']'])).Message, StringComparison.Ordinal);
        Assert.NotNull(CanonicalJson.Parse(Encoding.ASCII.GetBytes(new string('[', 32) + new string(']', 32))));
        Assert.Throws<FormatException>(() => CanonicalJson.Parse(Encoding.ASCII.GetBytes(new string('[', 33) + new string(']', 33))));
    }

    [Fact]
    public void Every_string_survives_and_has_one_form() => Prop.ForAll<NonNull<string>, NonNull<string>>((name, value) =>
    {
        if (!IsText(name.Get) || !IsText(value.Get))
            return;
        byte[] bytes = CanonicalJson.Serialize(new JsonObject { [name.Get] = value.Get });
        JsonNode parsed = CanonicalJson.Parse(bytes);
        Assert.Equal(value.Get, parsed[name.Get]!.GetValue<string>());
        Assert.Equal(bytes, CanonicalJson.Serialize(parsed));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_bytes_make_the_parser_throw_anything_else() => Prop.ForAll<byte[]>(bytes =>
    {
        try
        {
            CanonicalJson.Parse(bytes);
        }
        catch (FormatException e)
        {
            Assert.Contains("byte", e.Message, StringComparison.Ordinal);
        }
    }).QuickCheckThrowOnFailure();

    private static bool IsText(string text) => text.EnumerateRunes().All(rune => rune != Rune.ReplacementChar);
}
