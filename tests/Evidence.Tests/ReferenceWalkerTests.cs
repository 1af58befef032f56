using System.Reflection;
using System.Text;
using Xunit;

namespace Evidence.Tests;

/// <summary>The floors hold only as well as the walker sees: each way in which code can name a type, once.</summary>
public sealed class ReferenceWalkerTests
{
    [Theory]
    [InlineData(nameof(Specimen.Calls))]
    [InlineData(nameof(Specimen.Makes))]
    [InlineData(nameof(Specimen.Casts))]
    [InlineData(nameof(Specimen.NamesItsType))]
    [InlineData(nameof(Specimen.KeepsItInAVariable))]
    [InlineData(nameof(Specimen.ReadsAField))]
    [InlineData(nameof(Specimen.CatchesIt))]
    [InlineData(nameof(Specimen.PassesItAsAnArgumentOfAGeneric))]
    [InlineData(nameof(Specimen.CallsBehindASwitch))]
    [InlineData(nameof(Specimen.TakesIt))]
    [InlineData(nameof(Specimen.GivesAnArrayOfIt))]
    [InlineData(nameof(Specimen.BearsItAsAnAttribute))]
    public void A_reference_is_found(string method) =>
        Assert.Contains(typeof(Known), ReferenceWalker.Of(Method(method)));

    [Fact]
    public void A_reference_in_a_lambda_or_an_async_method_is_in_a_nested_type() =>
        Assert.All((string[])["<>c", "<Waits>d__"], name => Assert.Contains(
            typeof(Known),
            ReferenceWalker.Of(typeof(Specimen).GetNestedTypes(BindingFlags.NonPublic).First(t => t.Name.StartsWith(name, StringComparison.Ordinal)))));

    [Fact]
    public void What_is_not_there_is_not_found()
    {
        Assert.DoesNotContain(typeof(Known), ReferenceWalker.Of(Method(nameof(Specimen.DoesNothing))));
        Assert.DoesNotContain(typeof(StringBuilder), ReferenceWalker.Of(typeof(Specimen)));
    }

    [Fact]
    public void A_field_a_base_type_and_an_interface_are_found()
    {
        Assert.Contains(typeof(Known), ReferenceWalker.Of(typeof(HasAField)));
        Assert.Contains(typeof(HasAField), ReferenceWalker.Of(typeof(Derives)));
        Assert.Contains(typeof(IDisposable), ReferenceWalker.Of(typeof(Derives)));
    }

    private static MethodInfo Method(string name) => typeof(Specimen).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!;

    private sealed class Known : Exception
    {
        internal static int Number;

        internal static void Act() => Number++;
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class NamesAttribute(Type type) : Attribute
    {
        public Type Named => type;
    }

    private class HasAField
    {
        private readonly Known?[] known = [];

        public int Count => known.Length;
    }

    private sealed class Derives : HasAField, IDisposable
    {
        public void Dispose()
        {
        }
    }

    // Each must show its reference in one way only, so a return type is wider than it need be.
#pragma warning disable CA1859
    private static class Specimen
    {
        internal static void Calls() => Known.Act();

        internal static object Makes() => new Known();

        internal static bool Casts(object value) => value is Known;

        internal static string NamesItsType() => typeof(Known).Name;

        internal static object? KeepsItInAVariable(object value)
        {
            var known = value as Known;
            GC.KeepAlive(known);
            return known;
        }

        internal static int ReadsAField() => Known.Number;

        internal static void CatchesIt()
        {
            try
            {
                DoesNothing();
            }
            catch (Known)
            {
                DoesNothing();
            }
        }

        internal static Array PassesItAsAnArgumentOfAGeneric() => Array.Empty<List<Known>>();

        internal static int CallsBehindASwitch(int value)
        {
            switch (value)
            {
                case 0:
                    return 5;
                case 1:
                    return 8;
                case 2:
                    return 1;
                case 3:
                    return 4;
                default:
                    Known.Act();
                    return long.MaxValue.GetHashCode();
            }
        }

        internal static void TakesIt(ref Known known) => GC.KeepAlive(known);

        internal static object GivesAnArrayOfIt() => GiveArray();

        [Names(typeof(Known))]
        internal static void BearsItAsAnAttribute()
        {
        }

        internal static Func<object> HasALambda() => () => new Known();

        internal static async Task Waits()
        {
            await Task.Yield();
            Known.Act();
        }

        internal static void DoesNothing()
        {
        }

        private static Known[,] GiveArray() => new Known[1, 1];
    }
}
