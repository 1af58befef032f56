using System.Globalization;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;

namespace Evidence.Interop.Tests.Rescue;

/// <summary>A range that an image lacks, as its manifest says.</summary>
internal readonly record struct LackingRange(string Kind, long Offset, long Length, string Reason)
{
    internal long End => Offset + Length;
}

/// <summary>What the command tells of images.</summary>
internal static class ImageFacts
{
    /// <summary>What the newest image of an item lacks.</summary>
    internal static LackingRange[] Lacks(this EvidenceCommand evidence, string item) =>
    [
        .. evidence.Json("show", evidence.Newest(item)).Succeeds().Json.GetProperty("manifest").GetProperty("absent").EnumerateArray().Select(a => new LackingRange(
            a.GetProperty("kind").GetString()!, a.Decimal("offset"), a.Decimal("length"), a.GetProperty("reason").GetString()!)),
    ];

    /// <summary>The bytes of the newest image of an item, as it is handed out.</summary>
    internal static byte[] Export(this EvidenceCommand evidence, string item)
    {
        string path = evidence.PathOf($"{Guid.NewGuid():N}.raw");
        evidence.Json("export", evidence.Newest(item), "--output", path);
        byte[] bytes = File.ReadAllBytes(path);
        File.Delete(path);
        return bytes;
    }

    /// <summary>The vault lacks something of its images, and says so; nothing in it is wrong.</summary>
    internal static JsonElement VerifyIncomplete(this EvidenceCommand evidence)
    {
        CommandResult result = evidence.Json("verify", "--digests", "--no-record").Ends(4);
        Xunit.Assert.Equal("incomplete", result.Json.GetProperty("content").GetString());
        Xunit.Assert.DoesNotContain("\"refuted\"", result.Text, StringComparison.Ordinal);
        Xunit.Assert.DoesNotContain("\"unverifiable\"", result.Text, StringComparison.Ordinal);
        return result.Json;
    }

    /// <summary>The id of the newest image of an item.</summary>
    private static string Newest(this EvidenceCommand evidence, string item) =>
        evidence.Json("images").Succeeds().Json.GetProperty("images").EnumerateArray().Last(image => image.Text("item") == item).Text("image");

    internal static string Text(this JsonElement json, string name) => json.GetProperty(name).GetString()!;

    internal static long Decimal(this JsonElement json, string name) => long.Parse(json.Text(name), CultureInfo.InvariantCulture);
}
