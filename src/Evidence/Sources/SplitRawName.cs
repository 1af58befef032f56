using System.Globalization;

namespace Evidence.Sources;

/// <summary>The name of a part of a split raw image: a stem, then a number of at least two digits (<c>disk.001</c>).</summary>
internal readonly record struct SplitRawName(string Stem, int Width, int Number)
{
    /// <summary>Parses a path.</summary>
    /// <returns>Null where it does not end in a dot and two to six digits.</returns>
    internal static SplitRawName? TryParse(string path)
    {
        string digits = Path.GetExtension(path).TrimStart('.');
        return digits.Length is >= 2 and <= 6 && digits.All(char.IsAsciiDigit)
            ? new SplitRawName(path[..^digits.Length], digits.Length, int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture))
            : null;
    }

    /// <summary>
    /// Whether a file of this name is to be taken for a part. Three digits are nearly always one; other widths are also how people write
    /// years and versions (<c>backup.2024</c>), so there the first part must stand beside it.
    /// </summary>
    internal bool IsLikelyPart => Width == 3 || File.Exists(PathOf(0)) || File.Exists(PathOf(1));

    /// <summary>The path of another part. Past the last number of this width, numbers grow wider (<c>.999</c>, <c>.1000</c>).</summary>
    internal string PathOf(int number) => Stem + number.ToString("D" + Width.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>The paths of all parts, in order, from number 0 where it exists and 1 otherwise to the highest number there is.</summary>
    /// <exception cref="EvidenceException">A part before the highest is missing.</exception>
    internal IReadOnlyList<string> FindParts()
    {
        var numbers = new HashSet<int>();
        foreach (string entry in Siblings())
        {
            if (TryParse(entry) is { } part && string.Equals(PathOf(part.Number), entry, StringComparison.Ordinal))
                numbers.Add(part.Number);
        }

        int first = numbers.Contains(0) ? 0 : 1;
        int last = numbers.Append(Number).Max();
        var parts = new List<string>();
        for (int number = first; number <= last; number++)
        {
            if (!numbers.Contains(number))
                throw Missing(number, first, last, numbers.Count == 0 ? ErrorCode.SourceNotFound : ErrorCode.SourceUnsupported);
            parts.Add(PathOf(number));
        }

        return parts;
    }

    private EvidenceException Missing(int number, int first, int last, string code) => new(
        code,
        $"The split image {PathOf(first)} … {PathOf(last)} lacks its part {PathOf(number)}. Put it back; or, where the file that you name " +
        "is an image of its own, say so (--single-file, SourceOptions.SingleFile).");

    private string[] Siblings()
    {
        string directory = Path.GetDirectoryName(Stem)!;
        try
        {
            return Directory.GetFiles(directory);
        }
        catch (DirectoryNotFoundException e)
        {
            throw new EvidenceException(ErrorCode.SourceNotFound, $"There is no directory {directory}.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new EvidenceException(
                ErrorCode.PermissionDenied, $"Cannot list {directory} to find the parts of a split image: permission denied.", e);
        }
        catch (IOException e)
        {
            throw new EvidenceException(ErrorCode.SourceFailed, $"Cannot list {directory}: {e.Message}", e);
        }
    }
}
